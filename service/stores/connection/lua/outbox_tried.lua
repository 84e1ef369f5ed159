-- Counts a delivery that was refused. KEYS: the entry. ARGV: the reason. Gives how many there were.

if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], 'reason', ARGV[1])
return redis.call('HINCRBY', KEYS[1], 'tries', 1)
