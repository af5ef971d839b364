-- Shared by the scripts that touch runs. P is the key prefix.
local function run_key(run) return P .. ':run:' .. run end

-- What a call brought along is kept for each run that it set off, until that run is settled.
local function keep(run, call, payload, ttl)
  local state = redis.call('HGET', run_key(run), 'state')
  if state ~= 'planned' and state ~= 'open' then return end
  local key = P .. ':content:' .. run
  redis.call('HSET', key, 'payload', payload)
  local files = redis.call('GET', P .. ':files:' .. call)
  if files then redis.call('HSET', key, 'files', files) end
  redis.call('PEXPIRE', key, ttl)
end

-- What is kept for a run alone is erased with its last use.
local function erase_approval(run)
  local key = P .. ':approval:' .. run
  local asking = redis.call('HMGET', key, 'mailbox', 'draft')
  if asking[1] and redis.call('HGET', P .. ':asking:' .. asking[1], asking[2]) == run then
    redis.call('HDEL', P .. ':asking:' .. asking[1], asking[2])
  end
  redis.call('DEL', key)
  redis.call('ZREM', P .. ':approvals', run)
end

-- Have a run look at the draft that it waits for, also one that is looking just now.
local function stir(run, now)
  if redis.call('EXISTS', P .. ':approval:' .. run) == 0 then return end
  redis.call('HSET', P .. ':approval:' .. run, 'stirred', '1')
  redis.call('ZADD', P .. ':due', 'XX', 'LT', now, run)
end

-- A call is decided: `runs` are their ids, with commas between.
local function decided(call, runs)
  local key = P .. ':call:' .. call
  if redis.call('EXISTS', key) == 1 then redis.call('HSET', key, 'runs', runs) end
  redis.call('DEL', P .. ':files:' .. call)
end

-- How long what a run brought along is kept once it is dead: so long it can be done again.
local DEAD_MS = 691200000

-- Of a run that ends before it was ever open, nobody had a claim, and nothing waits for anybody.
local function close(run, now)
  local key = run_key(run)
  local state, dead, gathers = unpack(redis.call('HMGET', key, 'state', 'failed', 'gathers'))
  if gathers and redis.call('GET', gathers) == run then redis.call('DEL', gathers) end
  redis.call('HSET', key, 'state', dead and 'dead' or 'done', 'ended', now)
  if state ~= 'planned' then
    redis.call('HDEL', key, 'claim', 'unknown', 'looks', 'failing')
    redis.call('ZREM', P .. ':due', run)
    redis.call('ZREM', P .. ':delayed', run)
    if not dead then erase_approval(run) end
  end
  if dead then
    redis.call('ZADD', P .. ':dead', now, run)
    redis.call('PEXPIRE', P .. ':content:' .. run, DEAD_MS)
  else
    redis.call('DEL', P .. ':content:' .. run)
  end
end

-- A receipt is written once; whoever comes second changes nothing. Only whoever holds the claim ends it:
-- a label group that settles its step leaves alone a send of the same run that is under way.
-- What may have worked stays in doubt while a label change is settled (`keep`): it speaks of a send.
local function settle(run, step, receipt, failed, now, claim, keep)
  local key = run_key(run)
  local state, holder, left = unpack(redis.call('HMGET', key, 'state', 'claim', 'left'))
  if not state then return 0 end
  -- The receipt goes first: whatever is lost behind it, the step is not tried again.
  local mine = claim and holder == claim
  local fresh = redis.call('HSETNX', key, 'receipt:' .. step, receipt) == 1
  if fresh and failed == '1' then redis.call('HSET', key, 'failed', '1') end
  if fresh and failed ~= '1' and state ~= 'planned' and redis.call('HGET', P .. ':approval:' .. run, 'step') == step then
    erase_approval(run)
  end
  if mine then
    redis.call('HDEL', key, 'claim', 'failing')
    if keep ~= '1' then redis.call('HDEL', key, 'unknown', 'looks') end
  end
  if not fresh then return tonumber(left) end
  left = redis.call('HINCRBY', key, 'left', -1)
  if left <= 0 then close(run, now) end
  return left
end

-- A run becomes open when its turn has come; `net` is when the tick looks after it. Answers whether it was not
-- yet: one that is open already goes on at its own time.
local function open(run, queue, job, payload, score, ttl, net)
  local key = run_key(run)
  if redis.call('HGET', key, 'state') ~= 'planned' then return false end
  redis.call('HSET', key, 'state', 'open')
  redis.call('ZADD', P .. ':due', net, run)
  enqueue(queue, job, payload, score, ttl)
  return true
end

-- Give up steps that wait, unless one is tried just now, or may have been.
local function give_up(run, receipt, now, ...)
  local key = run_key(run)
  local state, claim, unknown, doubt = unpack(redis.call('HMGET', key, 'state', 'claim', 'unknown', 'doubt'))
  if state ~= 'open' or claim or unknown == '1' or doubt then return end
  for _, step in ipairs({...}) do settle(run, step, receipt, '0', now) end
end

-- Settle a dead run as it is.
local function dismiss(run, now)
  local key = run_key(run)
  if redis.call('HGET', key, 'state') ~= 'dead' then return 0 end
  redis.call('HSET', key, 'state', 'done', 'dismissed', now)
  redis.call('HDEL', key, 'failed')
  redis.call('ZREM', P .. ':dead', run)
  redis.call('DEL', P .. ':content:' .. run)
  erase_approval(run)
  return 1
end

-- A run was taken back; whoever says so first is remembered. A dead one is not to be done again.
local function undone(run, json, now)
  if redis.call('EXISTS', run_key(run)) == 0 then return end
  redis.call('HSETNX', run_key(run), 'undone', json)
  dismiss(run, now)
end

local function record(run, state, left, json, mailbox, rule, now, ...)
  local key = run_key(run)
  if redis.call('EXISTS', key) == 1 then return end
  redis.call('HSET', key, 'run', json, 'state', state, 'left', left)
  if state == 'dead' then
    redis.call('HSET', key, 'failed', '1', 'ended', now)
    redis.call('ZADD', P .. ':dead', now, run)
  elseif state == 'done' then
    redis.call('HSET', key, 'ended', now)
  end
  local receipts = {...}
  for i = 1, #receipts, 2 do redis.call('HSET', key, 'receipt:' .. receipts[i], receipts[i + 1]) end
  redis.call('ZADD', P .. ':runs', now, run)
  redis.call('ZADD', P .. ':runs:mailbox:' .. mailbox, now, run)
  redis.call('ZADD', P .. ':runs:rule:' .. rule, now, run)
end
