-- Open a dead run again: failed steps lose their receipts. ARGV: run, now, then steps.
local key = run_key(ARGV[1])
if redis.call('HGET', key, 'state') ~= 'dead' then return 0 end
for i = 3, #ARGV do
  if redis.call('HDEL', key, 'receipt:' .. ARGV[i]) == 1 then redis.call('HINCRBY', key, 'left', 1) end
end
if tonumber(redis.call('HGET', key, 'left')) <= 0 then return 0 end
redis.call('HDEL', key, 'failed', 'why', 'ended', 'attempts')
-- Whether the step that failed may have worked after all is looked up before it is tried again.
redis.call('HSET', key, 'state', 'open', 'replayed', ARGV[2], 'unknown', '1', 'looks', '0')
redis.call('ZREM', P .. ':dead', ARGV[1])
redis.call('ZADD', P .. ':due', ARGV[2], ARGV[1])
return 1
