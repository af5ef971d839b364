-- What is due: up to a limit of runs, put off by `net` so that the next tick leaves them alone.
-- KEYS: due. ARGV: now, limit, net.
if redis.call('EXISTS', P .. ':halted') == 1 then return {} end
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])
for _, member in ipairs(due) do redis.call('ZADD', KEYS[1], ARGV[3], member) end
return due
