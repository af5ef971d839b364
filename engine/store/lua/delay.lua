-- Give a claim back whose step is to begin at its time and not before; nothing of it was tried.
-- KEYS: run, due, delayed. ARGV: run, claim, until.
if redis.call('HGET', KEYS[1], 'claim') ~= ARGV[2] then return 0 end
redis.call('HDEL', KEYS[1], 'claim', 'unknown', 'looks')
redis.call('HINCRBY', KEYS[1], 'attempts', -1)
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1])
redis.call('ZADD', KEYS[3], ARGV[3], ARGV[1])
return 1
