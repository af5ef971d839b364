-- Settle steps that a run has still to begin, if the next one waits for its time and nobody has claimed it.
-- ARGV: run, now, receipt, then the steps: those behind the label changes that go with their batch.
local key = run_key(ARGV[1])
if redis.call('HGET', key, 'state') ~= 'open' or redis.call('HEXISTS', key, 'claim') == 1 then return 0 end
if not redis.call('ZSCORE', P .. ':delayed', ARGV[1]) then return 0 end
redis.call('ZREM', P .. ':delayed', ARGV[1])
for i = 4, #ARGV do settle(ARGV[1], ARGV[i], ARGV[3], '0', ARGV[2], '', '') end
return 1
