-- Keep a message until a person decides about it, and give its run's claim back until then; -1 where too
-- many wait. What is kept of this step already stands: it may be edited by now, or decided about.
-- KEYS: run, due, approval, approvals. ARGV: run, claim, expires, limit, keep for (ms), why, step, then fields and
-- values.
if redis.call('HGET', KEYS[1], 'claim') ~= ARGV[2] then return 0 end
if not redis.call('ZSCORE', KEYS[4], ARGV[1]) and redis.call('ZCARD', KEYS[4]) >= tonumber(ARGV[4]) then
  return -1
end
local due, fields = ARGV[3], {}
for i = 8, #ARGV do fields[#fields + 1] = ARGV[i] end
local step, standing, expires = unpack(redis.call('HMGET', KEYS[3], 'step', 'standing', 'expires'))
if step == ARGV[7] then
  due = standing == 'pending' and expires or '0'
else
  redis.call('DEL', KEYS[3])
  redis.call('HSET', KEYS[3], 'step', ARGV[7], unpack(fields))
  redis.call('PEXPIRE', KEYS[3], ARGV[5])
  redis.call('ZADD', KEYS[4], ARGV[3], ARGV[1])
end
-- Later steps may read what a call brought along.
local content = P .. ':content:' .. ARGV[1]
if redis.call('EXISTS', content) == 1 then redis.call('PEXPIRE', content, ARGV[5]) end
redis.call('HSET', KEYS[1], 'unknown', '0', 'looks', '0', 'failing', '0', 'why', ARGV[6])
redis.call('HDEL', KEYS[1], 'claim')
redis.call('ZADD', KEYS[2], due, ARGV[1])
return 1
