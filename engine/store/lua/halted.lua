-- Whether nothing may act now. P is the key prefix. A replica that was promoted may lack writes that its
-- primary had acknowledged: that is noticed here, in the very step that would act, and halts everything.
local function halted()
  if redis.call('EXISTS', P .. ':halted') == 1 then return true end
  local info = redis.pcall('INFO', 'replication')
  local before = type(info) == 'string' and string.match(info, 'master_replid2:(%x+)')
  if not before then return false end
  local known = redis.call('GET', P .. ':lineage')
  if known == before or (known and not string.find(before, '[^0]')) then return false end
  redis.call('SET', P .. ':lineage', before)
  if not known then return false end
  local time = redis.call('TIME')
  local since = string.format('%d%03d', time[1], math.floor(time[2] / 1000))
  local why = 'a replica was promoted, and what it had not received yet is lost'
  redis.call('SET', P .. ':halted', '{"since": ' .. since .. ', "why": "' .. why .. '"}')
  return true
end
