-- Take a lease that nobody holds. KEYS: lease. ARGV: token, ms, '1' if it is for acting: not while halted.
if ARGV[3] == '1' and halted() then return 0 end
if redis.call('GET', KEYS[1]) == ARGV[1] then return 1 end
return redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) and 1 or 0
