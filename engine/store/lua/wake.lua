-- What is due: up to a limit of runs, put off by `net` so that the next tick leaves them alone. Runs that
-- waited while sends were paused are due once these go on, up to that limit at a time.
-- KEYS: due, brake, braked. ARGV: now, limit, net.
if redis.call('EXISTS', P .. ':halted') == 1 then return {} end
if redis.call('EXISTS', KEYS[2]) == 0 then
  for _, run in ipairs(redis.call('SPOP', KEYS[3], ARGV[2])) do
    redis.call('ZADD', KEYS[1], 'XX', ARGV[1], run)
  end
end
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])
for _, member in ipairs(due) do redis.call('ZADD', KEYS[1], ARGV[3], member) end
return due
