-- Make a run that cannot be carried out a dead letter. ARGV: run, why, now.
local key = run_key(ARGV[1])
if redis.call('EXISTS', key) == 0 then return 0 end
redis.call('HSET', key, 'failed', '1', 'why', ARGV[2])
close(ARGV[1], ARGV[3])
return 1
