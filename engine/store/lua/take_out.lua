-- Take an item out of a summary that still gathers. KEYS: run, content. ARGV: run, item's name.
local gathers = redis.call('HGET', KEYS[1], 'gathers')
if not gathers or redis.call('GET', gathers) ~= ARGV[1] then return 0 end
local item = redis.call('HGET', KEYS[2], ARGV[2])
if not item then return 0 end
local size = #item - string.find(item, ' ', 1, true)
redis.call('HDEL', KEYS[2], ARGV[2])
redis.call('HINCRBY', KEYS[2], 'items', -1)
redis.call('HINCRBY', KEYS[2], 'bytes', -size)
return 1
