-- Move a schedule on, if it is where it was and these rules are in force, and set off what is due.
-- KEYS: current, schedules, stream, awake, queue.
-- ARGV: digest, field, old ('' none), new ('' none), lane, event ('' none), now, job, payload, ttl.
if halted() or redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if (redis.call('HGET', KEYS[2], ARGV[2]) or '') ~= ARGV[3] then return 0 end
if ARGV[6] ~= '' then
  redis.call('XADD', KEYS[3], '*', 'event', ARGV[6], 'read', '0', 'trace', '')
  if redis.call('SADD', KEYS[4], ARGV[5]) == 1 then enqueue_ahead(KEYS[5], ARGV[8], ARGV[9], ARGV[7], ARGV[10]) end
end
if ARGV[4] == '' then
  redis.call('HDEL', KEYS[2], ARGV[2])
else
  redis.call('HSET', KEYS[2], ARGV[2], ARGV[4])
end
return 1
