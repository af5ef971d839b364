-- Keep a message until a person decides about it, and give its run's claim back until then; -1 where too
-- many wait. What is kept of this step already stands: it may be edited by now, or decided about.
-- KEYS: run, due, approval, approvals. ARGV: run, claim, expires, limit, keep for (ms), why, step, mailbox, draft
-- ('' where it waits here), now, then fields and values.
if redis.call('HGET', KEYS[1], 'claim') ~= ARGV[2] then return 0 end
if not redis.call('ZSCORE', KEYS[4], ARGV[1]) and redis.call('ZCARD', KEYS[4]) >= tonumber(ARGV[4]) then
  return -1
end
local due, fields = ARGV[3], {}
for i = 11, #ARGV do fields[#fields + 1] = ARGV[i] end
local step, standing, expires = unpack(redis.call('HMGET', KEYS[3], 'step', 'standing', 'expires'))
if step == ARGV[7] then
  due = standing == 'pending' and redis.call('HDEL', KEYS[3], 'stirred') == 0 and expires or '0'
else
  redis.call('DEL', KEYS[3])
  redis.call('HSET', KEYS[3], 'step', ARGV[7], unpack(fields))
  redis.call('PEXPIRE', KEYS[3], ARGV[5])
  redis.call('ZADD', KEYS[4], ARGV[3], ARGV[1])
  if ARGV[9] ~= '' then
    local asking = P .. ':asking:' .. ARGV[8]
    local before = redis.call('HGET', asking, ARGV[9])
    if before and before ~= ARGV[1] then stir(before, ARGV[10]) end
    redis.call('HSET', KEYS[3], 'mailbox', ARGV[8], 'draft', ARGV[9])
    redis.call('HSET', asking, ARGV[9], ARGV[1])
  end
end
-- Later steps may read what a call brought along.
local content = P .. ':content:' .. ARGV[1]
if redis.call('EXISTS', content) == 1 then redis.call('PEXPIRE', content, ARGV[5]) end
redis.call('HSET', KEYS[1], 'unknown', '0', 'looks', '0', 'failing', '0', 'why', ARGV[6])
redis.call('HDEL', KEYS[1], 'claim')
redis.call('ZADD', KEYS[2], due, ARGV[1])
return 1
