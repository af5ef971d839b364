-- Pause sends, or let them go on; answer what stood before. Whoever comes second changes nothing.
-- KEYS: brake, log of what was done. ARGV: who pauses, "" to let sends go on; entry of the log, entries kept.
local before = redis.call('GET', KEYS[1])
if (ARGV[1] ~= '') == (before ~= false) then return before end
if before then redis.call('DEL', KEYS[1]) else redis.call('SET', KEYS[1], ARGV[1]) end
redis.call('RPUSH', KEYS[2], ARGV[2])
redis.call('LTRIM', KEYS[2], -tonumber(ARGV[3]), -1)
return before
