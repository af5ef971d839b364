-- Append events and advance the cursor, if it is still the one the page was read from. Beside that, note when
-- the mailbox moved, the longest silence of each day that a complete read saw, and arrivals nobody rang for.
-- KEYS: cursor, stream, awake, queue, moved, arrived, habit, rung, unrung.
-- ARGV: mailbox, old, new, lane, read, now, job, payload, ttl, trace, arrivals, events...
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
if #ARGV >= 12 and redis.call('SADD', KEYS[3], ARGV[4]) == 1 then
  enqueue_ahead(KEYS[4], ARGV[7], ARGV[8], ARGV[6], ARGV[9])
end
for i = 12, #ARGV do redis.call('XADD', KEYS[2], '*', 'event', ARGV[i], 'read', ARGV[5], 'trace', ARGV[10]) end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
if #ARGV < 12 then return 1 end

local day = math.floor(ARGV[6] / 86400000)
local quiet = math.max(0, ARGV[5] - (redis.call('HGET', KEYS[5], ARGV[1]) or ARGV[5]))
local longest = tonumber(redis.call('HGET', KEYS[7], day) or '-1')
if quiet > longest then redis.call('HSET', KEYS[7], day, string.format('%.0f', quiet)) end
if longest < 0 then
  for _, old in ipairs(redis.call('HKEYS', KEYS[7])) do
    if tonumber(old) <= day - 28 then redis.call('HDEL', KEYS[7], old) end
  end
end
redis.call('HSET', KEYS[5], ARGV[1], ARGV[6])
if ARGV[11] ~= '0' then
  local rung = tonumber(string.match(redis.call('HGET', KEYS[8], ARGV[1]) or '', '^%d+') or '-1')
  local at, cause = string.match(redis.call('HGET', KEYS[6], ARGV[1]) or '0', '^(%d+) ?(.*)$')
  if rung >= tonumber(at) then
    redis.call('HSET', KEYS[9], ARGV[1], '0')
  elseif ARGV[10] == '' or ARGV[10] ~= cause then -- A read of many pages found it once.
    redis.call('HINCRBY', KEYS[9], ARGV[1], 1)
  end
  redis.call('HSET', KEYS[6], ARGV[1], ARGV[6] .. ' ' .. ARGV[10])
end
return 1
