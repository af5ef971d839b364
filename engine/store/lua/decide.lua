-- Decide about a message that waits, once, and wake its run. KEYS: approval, approvals, run, due, queue.
-- ARGV: run, standing, by, now, nonce of this decision, edition ('0' for any), reason, job, payload, ttl.
local standing, expires, edition, nonce, draft = unpack(
  redis.call('HMGET', KEYS[1], 'standing', 'expires', 'edition', 'nonce', 'draft'))
if not standing then return 'gone' end
if draft then return 'elsewhere' end
if nonce == ARGV[5] then return 'done' end
if standing ~= 'pending' then return 'settled' end
if ARGV[2] ~= 'expired' and tonumber(ARGV[4]) >= tonumber(expires) then return 'late' end
if ARGV[6] ~= '0' and ARGV[6] ~= edition then return 'changed' end
redis.call('HSET', KEYS[1], 'standing', ARGV[2], 'by', ARGV[3], 'at', ARGV[4], 'nonce', ARGV[5], 'reason', ARGV[7])
redis.call('ZREM', KEYS[2], ARGV[1])
-- It may be sent much later, when the service is back or somebody has it done again.
if ARGV[2] == 'approved' then redis.call('PERSIST', KEYS[1]) end
if redis.call('HGET', KEYS[3], 'state') == 'open' then
  redis.call('HDEL', KEYS[3], 'why')
  redis.call('ZADD', KEYS[4], ARGV[4], ARGV[1])
  enqueue_ahead(KEYS[5], ARGV[8], ARGV[9], ARGV[4], ARGV[10])
end
return 'done'
