-- Record one receipt; a step that failed makes the run a dead letter. What did not succeed is recorded
-- only by whoever still holds the claim; what was done was done, whoever says so.
-- ARGV: run, step, receipt, failed, now, claim, strict, keep.
local key = run_key(ARGV[1])
if ARGV[7] == '1' and redis.call('HGET', key, 'claim') ~= ARGV[6] then
  return tonumber(redis.call('HGET', key, 'left') or '0')
end
local fresh = redis.call('HEXISTS', key, 'receipt:' .. ARGV[2]) == 0
local left = settle(ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[8])
if fresh and ARGV[4] == '1' and redis.call('HGET', key, 'state') == 'open' then close(ARGV[1], ARGV[5]) end
return left
