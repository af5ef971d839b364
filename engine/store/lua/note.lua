-- Write down what a step has to know of the time before it; the first note stands.
-- KEYS: run. ARGV: claim, step, text.
if redis.call('HGET', KEYS[1], 'claim') ~= ARGV[1] then return nil end
redis.call('HSETNX', KEYS[1], 'note:' .. ARGV[2], ARGV[3])
return redis.call('HGET', KEYS[1], 'note:' .. ARGV[2])
