-- Take calls: each is appended to its lane once, whatever its sender or a lost answer makes of it.
-- KEYS: awake, queue. ARGV: now, ttl of jobs, then per call: lane, id, digest, within, keep, event, trace,
-- files, ttl of files, job, payload. Answers id and the digest that stands under it, for each.
local answers = {}
for i = 3, #ARGV, 11 do
  local lane, id, digest = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local repeated = P .. ':repeat:' .. lane .. ':' .. digest
  if ARGV[i + 3] ~= '0' then id = redis.call('GET', repeated) or id end
  local known = redis.call('HGET', P .. ':call:' .. id, 'digest')
  if not known then
    redis.call('HSET', P .. ':call:' .. id, 'digest', digest, 'lane', lane, 'at', ARGV[1])
    redis.call('PEXPIRE', P .. ':call:' .. id, ARGV[i + 4])
    if ARGV[i + 3] ~= '0' then redis.call('SET', repeated, id, 'PX', ARGV[i + 3]) end
    if ARGV[i + 7] ~= '' then redis.call('SET', P .. ':files:' .. id, ARGV[i + 7], 'PX', ARGV[i + 8]) end
    redis.call('XADD', P .. ':events:' .. lane, '*', 'event', ARGV[i + 5], 'read', '0', 'trace', ARGV[i + 6])
    if redis.call('SADD', KEYS[1], lane) == 1 then
      enqueue_ahead(KEYS[2], ARGV[i + 9], ARGV[i + 10], ARGV[1], ARGV[2])
    end
  end
  answers[#answers + 1] = id
  answers[#answers + 1] = known or ''
end
return answers
