-- Let a lane sleep when nothing is left in it. KEYS: lease, stream, groups, awake, due, waking.
-- ARGV: token, lane, now.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return -1 end
if redis.call('XLEN', KEYS[2]) > 0 or redis.call('LLEN', KEYS[3]) > 0 then return 0 end
local first = redis.call('ZRANGE', KEYS[5], 0, 0, 'WITHSCORES')
if first[2] then
  if tonumber(first[2]) <= tonumber(ARGV[3]) then return 0 end
  redis.call('ZADD', KEYS[6], first[2], ARGV[2])
end
redis.call('SREM', KEYS[4], ARGV[2])
return 1
