-- Carry out commands under a lease, all or none, once per batch.
-- KEYS: lease, committed. ARGV: token, batch, then per command its length and its words.
-- DECIDE, RUN, KEEP, CALL, SETTLE, UNDONE, GIVEUP and OPEN are ours; every other word is a Redis command. Payloads stay opaque strings.
-- Answers -1 without the lease, else the runs that it opened and enqueued no job for: the caller begins them.
-- While halted, what was done is still recorded, and nothing new is decided: that no rule wants a message
-- may be so only because of what was done to it and forgotten.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return -1 end
if redis.call('GET', KEYS[2]) == ARGV[2] then return {} end
local i, words = 3, #ARGV
while i <= words do
  local length = tonumber(ARGV[i])
  if not length or length < 1 or i + length > words then
    return redis.error_reply('malformed batch at word ' .. i)
  end
  if ARGV[i + 1] == 'DECIDE' and halted() then return -1 end
  i = i + length + 1
end
redis.call('SET', KEYS[2], ARGV[2], 'PX', 600000)
local begun = {}
local function open_here(run, queue, job, ...)
  if open(run, queue, job, ...) and job == '' then table.insert(begun, run) end
end
local ours = {
  DECIDE = function() end, RUN = record, KEEP = keep, CALL = decided, SETTLE = settle, UNDONE = undone,
  GIVEUP = give_up, OPEN = open_here,
}
i = 3
while i <= words do
  local last = i + tonumber(ARGV[i])
  local own = ours[ARGV[i + 1]]
  -- Taken from where they stand: a table for each command would be most of the garbage that there is.
  if own then own(unpack(ARGV, i + 2, last)) else redis.call(unpack(ARGV, i + 1, last)) end
  i = last + 1
end
return begun
