-- Append an event and record that its step is done, unless that is recorded. The event goes first: appended
-- twice, it gives the same runs. KEYS: stream, awake, queue.
-- ARGV: run, step, receipt, now, claim, lane, job, payload, ttl, trace, event.
local key = run_key(ARGV[1])
if redis.call('EXISTS', key) == 0 or redis.call('HEXISTS', key, 'receipt:' .. ARGV[2]) == 1 then return 0 end
if redis.call('SADD', KEYS[2], ARGV[6]) == 1 then enqueue_ahead(KEYS[3], ARGV[7], ARGV[8], ARGV[4], ARGV[9]) end
redis.call('XADD', KEYS[1], '*', 'event', ARGV[11], 'read', '0', 'trace', ARGV[10])
settle(ARGV[1], ARGV[2], ARGV[3], '0', ARGV[4], ARGV[5], '')
return 1
