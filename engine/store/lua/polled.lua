-- Record a complete history read and that it heard every ring, unless there was another meanwhile.
-- KEYS: wanted, heard, polled. ARGV: mailbox, rings before, began.
redis.call('HSET', KEYS[3], ARGV[1], ARGV[3])
if (redis.call('HGET', KEYS[1], ARGV[1]) or '0') ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
return 1
