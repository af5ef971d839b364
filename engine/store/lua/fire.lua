-- Take timers that are due away and put their events into their lanes, which are woken. A member is the
-- lane, a line break, the event. KEYS: timers, awake. ARGV: now, limit.
if halted() then return 0 end
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])
for _, member in ipairs(due) do
  local lane, event = string.match(member, '^([^\n]*)\n(.*)$')
  if lane then
    redis.call('XADD', P .. ':events:' .. lane, '*', 'event', event, 'read', '0', 'trace', '')
    redis.call('SADD', KEYS[2], lane)
  end
  redis.call('ZREM', KEYS[1], member)
end
return #due
