-- Settle a dead run as it is. ARGV: run, now.
return dismiss(ARGV[1], ARGV[2])
