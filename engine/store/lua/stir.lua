-- Wake the runs that wait for what becomes of drafts. KEYS: asking. ARGV: now, then drafts.
for i = 2, #ARGV do
  local run = redis.call('HGET', KEYS[1], ARGV[i])
  if run then stir(run, ARGV[1]) end
end
return 1
