-- Add an item to a summary and record that its step is done, unless that is recorded; give the summary's run.
-- The first item makes that run, which is open from now on and due later. KEYS: which run gathers now.
-- ARGV: run, step, receipt up to the summary's run, the rest of it, now, claim, then of a new summary: run,
-- json, mailbox, rule, due, key; then the item's name, the item, most items, most bytes.
local key = run_key(ARGV[1])
local summary = redis.call('GET', KEYS[1])
if redis.call('EXISTS', key) == 0 or redis.call('HEXISTS', key, 'receipt:' .. ARGV[2]) == 1 then
  return summary or ARGV[7]
end
local due, most, bytes = tonumber(ARGV[11]), tonumber(ARGV[15]), tonumber(ARGV[16])
if not (due and most and bytes) then return redis.error_reply('malformed item') end
if not summary or redis.call('HGET', run_key(summary), 'state') ~= 'open' then
  summary = ARGV[7]
  record(summary, 'open', 1, ARGV[8], ARGV[9], ARGV[10], ARGV[5])
  redis.call('HSET', run_key(summary), 'gathers', KEYS[1])
  if redis.call('HEXISTS', key, 'doubt') == 1 then redis.call('HSET', run_key(summary), 'doubt', '1') end
  redis.call('HSET', P .. ':content:' .. summary, 'key', ARGV[12])
  redis.call('SET', KEYS[1], summary)
  redis.call('ZADD', P .. ':due', ARGV[11], summary)
  redis.call('ZADD', P .. ':delayed', ARGV[11], summary)
end
local content = P .. ':content:' .. summary
if redis.call('HEXISTS', content, ARGV[13]) == 0 then
  local counts = redis.call('HMGET', content, 'items', 'bytes')
  local items, size = (tonumber(counts[1]) or 0) + 1, (tonumber(counts[2]) or 0) + #ARGV[14]
  if items > most or size > bytes then
    redis.call('HINCRBY', content, 'more', 1)
  else
    local number = redis.call('HINCRBY', content, 'last', 1)
    redis.call('HSET', content, ARGV[13], number .. ' ' .. ARGV[14], 'items', items, 'bytes', size)
  end
end
settle(ARGV[1], ARGV[2], ARGV[3] .. summary .. ARGV[4], '0', ARGV[5], ARGV[6], '')
return summary
