-- Carry out commands, unless it was done already: one that is sent again after its answer was lost adds nothing.
-- KEYS: done. ARGV: batch, then per command its length and its words.
if redis.call('GET', KEYS[1]) == ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', 600000)
local i = 2
while i <= #ARGV do
  local words, length = {}, tonumber(ARGV[i])
  for j = i + 1, i + length do words[#words + 1] = ARGV[j] end
  redis.call(unpack(words))
  i = i + length + 1
end
return 1
