-- Take the pen with which a thread's draft of one name is written, and read what is known of it.
-- KEYS: drafts of the thread. ARGV: name, run, when its message arrived, ttl.
local pen, arrived, left = unpack(
  redis.call('HMGET', KEYS[1], 'pen ' .. ARGV[1], 'arrived ' .. ARGV[1], 'left ' .. ARGV[1]))
if pen and pen ~= ARGV[2] then
  local state, claim, unknown = unpack(redis.call('HMGET', run_key(pen), 'state', 'claim', 'unknown'))
  -- Nothing of a run is on its way that is neither tried just now nor may have been.
  if state == 'open' and (claim or unknown == '1') then return {'busy', ''} end
end
if arrived and tonumber(arrived) > tonumber(ARGV[3]) then return {'newer', ''} end
redis.call('HSET', KEYS[1], 'pen ' .. ARGV[1], ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return {'yours', left or ''}
