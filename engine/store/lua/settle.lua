-- Record one receipt; a step that failed makes the run a dead letter.
-- ARGV: run, step, receipt, failed, now.
local key = run_key(ARGV[1])
local fresh = redis.call('HEXISTS', key, 'receipt:' .. ARGV[2]) == 0
local left = settle(ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5])
if fresh and ARGV[4] == '1' and redis.call('HGET', key, 'state') == 'open' then close(ARGV[1], ARGV[5]) end
return left
