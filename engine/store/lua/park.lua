-- Give a claim back until sends go on: at once if they do already, and it is kept who waits for that.
-- KEYS: run, due, brake, braked. ARGV: run, claim, now, again, unknown, looks, why, failing since.
if redis.call('HGET', KEYS[1], 'claim') ~= ARGV[2] then return ARGV[4] end
local again = ARGV[3]
if redis.call('EXISTS', KEYS[3]) == 1 then
  again = ARGV[4]
  redis.call('SADD', KEYS[4], ARGV[1])
  -- Nobody knows for how long: what a call brought along is kept as long as the run waits.
  redis.call('PERSIST', P .. ':content:' .. ARGV[1])
end
redis.call('HDEL', KEYS[1], 'claim')
redis.call('HSET', KEYS[1], 'unknown', ARGV[5], 'looks', ARGV[6], 'why', ARGV[7], 'failing', ARGV[8])
redis.call('ZADD', KEYS[2], again, ARGV[1])
return again
