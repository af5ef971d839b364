-- Carry out commands under a lease, all or none, once per batch.
-- KEYS: lease, committed. ARGV: token, batch, then per command its length and its words.
-- DECIDE, RUN, KEEP, CALL, SETTLE, UNDONE, GIVEUP and OPEN are ours; every other word is a Redis command. Payloads stay opaque strings.
-- While halted, what was done is still recorded, and nothing new is decided: that no rule wants a message
-- may be so only because of what was done to it and forgotten.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return -1 end
if redis.call('GET', KEYS[2]) == ARGV[2] then return 0 end
local i, commands = 3, {}
while i <= #ARGV do
  local length = tonumber(ARGV[i])
  if not length or length < 1 or i + length > #ARGV then
    return redis.error_reply('malformed batch at word ' .. i)
  end
  local words = {}
  for j = i + 1, i + length do words[#words + 1] = ARGV[j] end
  if words[1] == 'DECIDE' then
    if halted() then return -1 end
  else
    commands[#commands + 1] = words
  end
  i = i + length + 1
end
redis.call('SET', KEYS[2], ARGV[2], 'PX', 600000)
local function rest(words, from)
  local tail = {}
  for j = from, #words do tail[#tail + 1] = words[j] end
  return tail
end
for _, w in ipairs(commands) do
  if w[1] == 'RUN' then record(w[2], w[3], w[4], w[5], w[6], w[7], w[8], rest(w, 9))
  elseif w[1] == 'SETTLE' then settle(w[2], w[3], w[4], w[5], w[6])
  elseif w[1] == 'KEEP' then keep(w[2], w[3], w[4], w[5])
  elseif w[1] == 'CALL' then decided(w[2], w[3])
  elseif w[1] == 'UNDONE' then undone(w[2], w[3], w[4])
  elseif w[1] == 'GIVEUP' then give_up(w[2], w[3], w[4], rest(w, 5))
  elseif w[1] == 'OPEN' then open(w[2], w[3], w[4], w[5], w[6], w[7], w[8])
  else redis.call(unpack(w)) end
end
return #commands
