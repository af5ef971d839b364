-- Append events that a person asks for to a lane, and wake it; the places of the first and the last.
-- KEYS: stream, awake, queue. ARGV: lane, now, job, payload, ttl, trace, events...
if redis.call('SADD', KEYS[2], ARGV[1]) == 1 then enqueue_ahead(KEYS[3], ARGV[3], ARGV[4], ARGV[2], ARGV[5]) end
local places = {}
for i = 7, #ARGV do
  places[#places + 1] = redis.call('XADD', KEYS[1], '*', 'event', ARGV[i], 'read', '0', 'trace', ARGV[6])
end
return {places[1], places[#places]}
