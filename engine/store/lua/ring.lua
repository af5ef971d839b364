-- Raise the doorbell of each mailbox; where it was down, enqueue a poll. It is down when the last ring
-- was heard: the counter itself only grows, so that hearing twice never takes down a later ring.
-- KEYS: wanted, heard, queue, rung. ARGV: now, ttl, then mailbox, job, payload, trace.
for i = 3, #ARGV, 4 do
  local heard = tonumber(redis.call('HGET', KEYS[2], ARGV[i]) or '0')
  redis.call('HSET', KEYS[4], ARGV[i], ARGV[1] .. ' ' .. ARGV[i + 3])
  if redis.call('HINCRBY', KEYS[1], ARGV[i], 1) == heard + 1 then
    enqueue_ahead(KEYS[3], ARGV[i + 1], ARGV[i + 2], ARGV[1], ARGV[2])
  end
end
return (#ARGV - 2) / 4
