-- Record one receipt. ARGV: run, step, receipt, failed, now.
return settle(ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5])
