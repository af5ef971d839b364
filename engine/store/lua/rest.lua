-- Let a lane sleep when nothing is left in it. KEYS: lease, stream, groups, awake, due, waking.
-- ARGV: token, lane, now, when its open groups are due ('' when none may be left).
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return -1 end
if redis.call('XLEN', KEYS[2]) > 0 then return 0 end
local first = redis.call('ZRANGE', KEYS[5], 0, 0, 'WITHSCORES')
local due = tonumber(first[2])
if redis.call('LLEN', KEYS[3]) > 0 then
  if ARGV[4] == '' then return 0 end
  due = math.min(due or math.huge, tonumber(ARGV[4]))
end
if due then
  if due <= tonumber(ARGV[3]) then return 0 end
  redis.call('ZADD', KEYS[6], 'LT', string.format('%.0f', due), ARGV[2])
end
redis.call('SREM', KEYS[4], ARGV[2])
return 1
