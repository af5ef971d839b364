-- Give a claim back. KEYS: run, due. ARGV: run, claim, again, unknown, looks, why, failing since.
if redis.call('HGET', KEYS[1], 'claim') ~= ARGV[2] then return 0 end
redis.call('HDEL', KEYS[1], 'claim')
redis.call('HSET', KEYS[1], 'unknown', ARGV[4], 'looks', ARGV[5], 'why', ARGV[6], 'failing', ARGV[7])
if ARGV[4] == '1' then redis.call('HSET', KEYS[1], 'again', ARGV[3]) end
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1])
return 1
