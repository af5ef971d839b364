-- Say which other run has something to do with messages that one deletes, '' where there is none. Runs that
-- have come to their own deletion do not wait for each other, and none waits for a step that was put off to a
-- time still to come: its message is gone then. KEYS: readers of each message. ARGV: run, now.
local function state_of(run)
  local fields = redis.call('HMGET', run_key(run), 'state', 'deleting')
  return fields[1], fields[2]
end
redis.call('HSET', run_key(ARGV[1]), 'deleting', '1')
for _, key in ipairs(KEYS) do
  for _, run in ipairs(redis.call('SMEMBERS', key)) do
    local state, deleting = state_of(run)
    if not state or state == 'done' then
      redis.call('SREM', key, run)
    elseif run ~= ARGV[1] and not deleting
      and tonumber(redis.call('ZSCORE', P .. ':delayed', run) or '0') <= tonumber(ARGV[2]) then
      return run
    end
  end
end
return ''
