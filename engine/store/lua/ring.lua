-- Raise the doorbell of each mailbox; where it was down, enqueue a poll.
-- KEYS: wanted, queue. ARGV: now, ttl, then mailbox, job, payload.
for i = 3, #ARGV, 3 do
  if redis.call('HINCRBY', KEYS[1], ARGV[i], 1) == 1 then
    enqueue(KEYS[2], ARGV[i + 1], ARGV[i + 2], ARGV[1], ARGV[2])
  end
end
return (#ARGV - 2) / 3
