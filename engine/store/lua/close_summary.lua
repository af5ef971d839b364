-- Let a summary take no more items and give what it gathered, nil for whoever does not hold the claim.
-- KEYS: run, content. ARGV: run, claim.
if redis.call('HGET', KEYS[1], 'claim') ~= ARGV[2] then return nil end
local gathers = redis.call('HGET', KEYS[1], 'gathers')
if gathers and redis.call('GET', gathers) == ARGV[1] then redis.call('DEL', gathers) end
return redis.call('HGETALL', KEYS[2])
