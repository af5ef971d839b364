-- Put the pen of a thread's draft down. KEYS: drafts of the thread. ARGV: name, run, then, to remember what was
-- written, what it is and when its message arrived; or, to forget what is no longer there, what it was.
if redis.call('HGET', KEYS[1], 'pen ' .. ARGV[1]) == ARGV[2] then
  redis.call('HDEL', KEYS[1], 'pen ' .. ARGV[1])
end
if #ARGV == 4 then
  redis.call('HSET', KEYS[1], 'left ' .. ARGV[1], ARGV[3], 'arrived ' .. ARGV[1], ARGV[4])
elseif #ARGV == 3 and redis.call('HGET', KEYS[1], 'left ' .. ARGV[1]) == ARGV[3] then
  redis.call('HDEL', KEYS[1], 'left ' .. ARGV[1], 'arrived ' .. ARGV[1])
end
return 1
