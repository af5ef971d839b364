-- Wake lanes that have something to do and that nobody drains.
-- KEYS: awake, waking, queue. ARGV: now, ttl, calm (ms until a lane is woken again), then lane, job, payload.
-- With no lanes given it answers which lanes there are.
if redis.call('EXISTS', P .. ':halted') == 1 then return #ARGV == 3 and {} or 0 end
if #ARGV == 3 then
  for _, lane in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', ARGV[1])) do
    redis.call('SADD', KEYS[1], lane)
    redis.call('ZREM', KEYS[2], lane)
  end
  return redis.call('SMEMBERS', KEYS[1])
end
local woken = 0
for i = 4, #ARGV, 3 do
  local lane = ARGV[i]
  if redis.call('EXISTS', P .. ':lease:' .. lane) == 0
    and redis.call('SET', P .. ':woken:' .. lane, '1', 'NX', 'PX', ARGV[3]) then
    enqueue_ahead(KEYS[3], ARGV[i + 1], ARGV[i + 2], ARGV[1], ARGV[2])
    woken = woken + 1
  end
end
return woken
