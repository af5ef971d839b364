-- Settle every step that a run has still to begin, if the next one waits for its time and nobody has claimed it.
-- ARGV: run, now, receipt, steps.
local key = run_key(ARGV[1])
if redis.call('HGET', key, 'state') ~= 'open' or redis.call('HEXISTS', key, 'claim') == 1 then return 0 end
if not redis.call('ZSCORE', P .. ':delayed', ARGV[1]) then return 0 end
for step = 0, tonumber(ARGV[4]) - 1 do settle(ARGV[1], tostring(step), ARGV[3], '0', ARGV[2], '', '') end
return 1
