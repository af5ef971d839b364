-- Record a complete history read; take the doorbell down unless it rang again.
-- KEYS: wanted, polled. ARGV: mailbox, wanted before, began.
redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
if (redis.call('HGET', KEYS[1], ARGV[1]) or '0') ~= ARGV[2] then return 0 end
redis.call('HDEL', KEYS[1], ARGV[1])
return 1
