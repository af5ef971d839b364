-- Claim the next step of a run. KEYS: run, due. ARGV: run, nonce, now, deadline, margin.
local state = redis.call('HGET', KEYS[1], 'state')
if state ~= 'open' then return {'closed'} end
if halted() then return {'wait', string.format('%.0f', tonumber(ARGV[3]) + 60000)} end
local claim = redis.call('HGET', KEYS[1], 'claim')
local fresh = ARGV[2] .. ' ' .. ARGV[4]
if claim and claim ~= fresh then
  local free = tonumber(string.match(claim, ' (%d+)$')) + tonumber(ARGV[5])
  if free > tonumber(ARGV[3]) then return {'wait', tostring(free)} end
  redis.call('HSET', KEYS[1], 'unknown', '1', 'looks', '0')
end
if claim ~= fresh then redis.call('HINCRBY', KEYS[1], 'attempts', 1) end
redis.call('HSET', KEYS[1], 'claim', fresh)
redis.call('ZREM', P .. ':delayed', ARGV[1])
redis.call('ZADD', KEYS[2], string.format('%.0f', tonumber(ARGV[4]) + tonumber(ARGV[5])), ARGV[1])
local answer = redis.call('HGETALL', KEYS[1])
table.insert(answer, 1, 'claimed')
return answer
