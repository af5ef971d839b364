-- Notice a promoted replica; answer the halt that stands, if any.
halted()
return redis.call('GET', P .. ':halted')
