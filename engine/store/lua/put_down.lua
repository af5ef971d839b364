-- Put the pen of a thread's draft down. KEYS: drafts of the thread. ARGV: name, run; then 'left', what was written
-- and when its message arrived; or 'gone', what is no longer there and when a person answered.
local left, arrived = 'left ' .. ARGV[1], 'arrived ' .. ARGV[1]
if redis.call('HGET', KEYS[1], 'pen ' .. ARGV[1]) == ARGV[2] then
  redis.call('HDEL', KEYS[1], 'pen ' .. ARGV[1])
end
if ARGV[3] == 'left' then
  redis.call('HSET', KEYS[1], left, ARGV[4], arrived, ARGV[5])
elseif ARGV[3] == 'gone' and redis.call('HGET', KEYS[1], left) == ARGV[4] then
  redis.call('HDEL', KEYS[1], left)
  redis.call('HSET', KEYS[1], arrived, ARGV[5])
end
return 1
