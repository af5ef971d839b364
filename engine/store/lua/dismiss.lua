-- Settle a dead run as it is. ARGV: run, now.
local key = run_key(ARGV[1])
if redis.call('HGET', key, 'state') ~= 'dead' then return 0 end
redis.call('HSET', key, 'state', 'done', 'dismissed', ARGV[2])
redis.call('HDEL', key, 'failed')
redis.call('ZREM', P .. ':dead', ARGV[1])
redis.call('DEL', P .. ':content:' .. ARGV[1])
erase_approval(ARGV[1])
return 1
