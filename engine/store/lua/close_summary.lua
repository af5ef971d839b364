-- Let a summary take no more items and give what it gathered; its time while it is not due, nil for whoever
-- does not hold the claim. KEYS: run, content. ARGV: run, claim, now, ms for which it is kept from now on.
if redis.call('HGET', KEYS[1], 'claim') ~= ARGV[2] then return nil end
local due = redis.call('HGET', KEYS[2], 'due')
if due and tonumber(due) > tonumber(ARGV[3]) then return due end
local gathers = redis.call('HGET', KEYS[1], 'gathers')
if gathers and redis.call('GET', gathers) == ARGV[1] then
  redis.call('DEL', gathers)
  redis.call('PEXPIRE', KEYS[2], ARGV[4])
end
return redis.call('HGETALL', KEYS[2])
