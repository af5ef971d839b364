-- Let a step pass and count it, or say what stands against it. Everything is looked at before anything is
-- written. What the step took at an earlier attempt is moved to this one, and never counted against it.
-- KEYS: brake, suppressed, then a sorted set per count, by when what was let pass had left at the latest; then
-- as many: what a count is given by.
-- ARGV: now, when it leaves at the earliest and at the latest, '1' if it waits while sends are paused, number of
-- addresses, the addresses, then per count '1' if it limits, '1' if it is asked only where what it is given by holds
-- something, what is counted ("" for nothing), the number of its windows, and of each how many may be within how many ms.
local now, from, leaves = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
-- What others leave later than they say here, and how far the clocks of workers lie apart.
local slack = 60000
local function whole(number) return string.format('%.0f', number) end

if ARGV[4] == '1' then
  local brake = redis.call('GET', KEYS[1])
  if brake then return {'paused', brake} end
end
local against = {}
local function object(kind, index, what, figure)
  for _, word in ipairs({kind, tostring(index), tostring(what), tostring(figure)}) do
    against[#against + 1] = word
  end
end
local at = 6
for i = 1, tonumber(ARGV[5]) do
  local known = redis.call('HGET', KEYS[2], ARGV[at])
  if known then object('suppressed', i, known, 0) end
  at = at + 1
end
local kept = {}
local counts = (#KEYS - 2) / 2
for i = 3, 2 + counts do
  local limits, given, member, windows = ARGV[at] == '1', ARGV[at + 1] == '1', ARGV[at + 2], tonumber(ARGV[at + 3])
  local own = tonumber(redis.call('ZSCORE', KEYS[i], member) or -math.huge)
  local most, longest, counts_it = 0, 0, not given
  at = at + 4
  for w = 1, windows do
    local allowed, ms = tonumber(ARGV[at]), tonumber(ARGV[at + 1])
    local first, last = from - ms, leaves + ms + slack
    local used = redis.call('ZCOUNT', KEYS[i], whole(first), whole(last))
    if own >= first and own <= last then used = used - 1 end
    local holds = not given or redis.call('ZCOUNT', KEYS[i + counts], whole(first), whole(last)) > 0
    counts_it = counts_it or holds
    if limits and holds and used >= allowed then object('over', i - 2, w, used) end
    most, longest = math.max(most, allowed), math.max(longest, ms)
    at = at + 2
  end
  kept[i] = counts_it and member ~= '' and {most, longest, member}
end
if #against > 0 then
  table.insert(against, 1, 'held')
  return against
end
for i, what in pairs(kept) do if what then
  local most, longest, member = what[1], what[2], what[3]
  -- What is kept until a time leaves then, also where something else that counts as the same leaves before.
  redis.call('ZADD', KEYS[i], 'GT', whole(leaves), member)
  redis.call('ZREMRANGEBYSCORE', KEYS[i], '-inf', '(' .. whole(now - longest - slack))
  -- Of what has left, no more is ever asked for than the largest limit.
  local beyond = redis.call('ZCOUNT', KEYS[i], '-inf', whole(now)) - most - 1
  if beyond > 0 then redis.call('ZREMRANGEBYRANK', KEYS[i], 0, beyond - 1) end
  local lives = leaves - now + longest + slack
  if redis.call('PTTL', KEYS[i]) < lives then redis.call('PEXPIRE', KEYS[i], whole(lives)) end
end end
return {'passed'}
