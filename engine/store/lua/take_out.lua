-- Take an item out of a summary that still gathers, or only look. KEYS: run, content. ARGV: run, item's name,
-- '1' to act.
local gathers = redis.call('HGET', KEYS[1], 'gathers')
if not gathers or redis.call('GET', gathers) ~= ARGV[1] then return 'closed' end
local item = redis.call('HGET', KEYS[2], ARGV[2])
if not item then return 'gone' end
if ARGV[3] ~= '1' then return 'taken' end
local size = #item - string.find(item, ' ', 1, true)
redis.call('HDEL', KEYS[2], ARGV[2])
redis.call('HINCRBY', KEYS[2], 'items', -1)
redis.call('HINCRBY', KEYS[2], 'bytes', -size)
return 'taken'
