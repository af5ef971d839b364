-- Put another text in the place of one that waits, if it is still the edition that was read.
-- KEYS: approval. ARGV: edition, now, nonce of this edit, by, raw, about.
local standing, expires, edition, nonce, draft = unpack(
  redis.call('HMGET', KEYS[1], 'standing', 'expires', 'edition', 'edit', 'draft'))
if not standing then return 'gone' end
if draft then return 'elsewhere' end
if nonce == ARGV[3] then return 'done' end
if standing ~= 'pending' then return 'settled' end
if tonumber(ARGV[2]) >= tonumber(expires) then return 'late' end
if ARGV[1] ~= edition then return 'changed' end
redis.call('HSET', KEYS[1], 'raw', ARGV[5], 'about', ARGV[6], 'edited_by', ARGV[4], 'edit', ARGV[3])
redis.call('HINCRBY', KEYS[1], 'edition', 1)
return 'done'
