-- Suppress addresses, count soft bounces, and record that the step is done, unless that is recorded.
-- KEYS: suppressed. ARGV: run, step, receipt, now, claim, window, then per address itself and what is known
-- of it, "" where its bounce only counts.
local key = run_key(ARGV[1])
if #ARGV % 2 ~= 0 then return redis.error_reply('an address without its entry') end
if redis.call('EXISTS', key) == 0 or redis.call('HEXISTS', key, 'receipt:' .. ARGV[2]) == 1 then return 0 end
for i = 7, #ARGV, 2 do
  if ARGV[i + 1] ~= '' then
    redis.call('HSETNX', KEYS[1], ARGV[i], ARGV[i + 1])
  else
    local soft = P .. ':soft:' .. ARGV[i]
    redis.call('ZREMRANGEBYSCORE', soft, '-inf', string.format('(%.0f', ARGV[4] - ARGV[6]))
    redis.call('ZADD', soft, ARGV[4], ARGV[1])
    redis.call('PEXPIRE', soft, ARGV[6])
  end
end
settle(ARGV[1], ARGV[2], ARGV[3], '0', ARGV[4], ARGV[5], '')
return 1
