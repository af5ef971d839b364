-- Renew or give back a lease that is still ours. KEYS: lease. ARGV: token, ms (0 gives it back), '1' if it is
-- for acting: not renewed while halted.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[3] == '1' and ARGV[2] ~= '0' and halted() then return 0 end
if ARGV[2] == '0' then redis.call('DEL', KEYS[1]) else redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 1
