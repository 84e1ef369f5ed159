-- Says that all records were copied, unless the copies were lost meanwhile or somebody began after us.
-- KEYS: the copies. ARGV: who copied, after how many seconds they expire.

if redis.call('HGET', KEYS[1], 'copying') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'whole', '1')
redis.call('HDEL', KEYS[1], 'copying')
redis.call('EXPIRE', KEYS[1], ARGV[2])
return 1
