-- Claim the next step of a run. KEYS: run, due. ARGV: run, nonce, now, deadline, margin.
local state, claim, unknown, again = unpack(redis.call('HMGET', KEYS[1], 'state', 'claim', 'unknown', 'again'))
if state ~= 'open' then return {'closed'} end
if halted() then return {'wait', string.format('%.0f', tonumber(ARGV[3]) + 60000)} end
local fresh = ARGV[2] .. ' ' .. ARGV[4]
if claim and claim ~= fresh then
  local free = tonumber(string.match(claim, ' (%d+)$')) + tonumber(ARGV[5])
  if free > tonumber(ARGV[3]) then return {'wait', tostring(free)} end
  redis.call('HSET', KEYS[1], 'unknown', '1', 'looks', '0')
elseif not claim and unknown == '1' and again and tonumber(again) > tonumber(ARGV[3]) then
  -- A job may have been enqueued twice: what may still be on its way is not looked for before its time.
  return {'wait', again}
end
if claim ~= fresh then redis.call('HINCRBY', KEYS[1], 'attempts', 1) end
redis.call('HSET', KEYS[1], 'claim', fresh)
redis.call('ZREM', P .. ':delayed', ARGV[1])
redis.call('ZADD', KEYS[2], string.format('%.0f', tonumber(ARGV[4]) + tonumber(ARGV[5])), ARGV[1])
local answer = redis.call('HGETALL', KEYS[1])
table.insert(answer, 1, 'claimed')
return answer
