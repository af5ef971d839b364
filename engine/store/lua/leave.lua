-- Record a run without steps that only a person can settle. ARGV: run, json, mailbox, rule, now.
record(ARGV[1], 'dead', 0, ARGV[2], ARGV[3], ARGV[4], ARGV[5])
return 1
