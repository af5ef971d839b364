-- Append events and advance the cursor, if it is still the one the page was read from.
-- KEYS: cursor, stream, awake, queue. ARGV: mailbox, old, new, lane, read, now, job, payload, ttl, events...
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
for i = 10, #ARGV do redis.call('XADD', KEYS[2], '*', 'event', ARGV[i], 'read', ARGV[5]) end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
if #ARGV >= 10 and redis.call('SADD', KEYS[3], ARGV[4]) == 1 then
  enqueue(KEYS[4], ARGV[7], ARGV[8], ARGV[6], ARGV[9])
end
return 1
