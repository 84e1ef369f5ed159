-- Takes the member that is due first, and lets it be due again when the lease ends.
-- KEYS: the members that are due. ARGV: now, the end of the lease. Gives the member, if there is one.

local owner = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, 1)[1]
if owner then redis.call('ZADD', KEYS[1], ARGV[2], owner) end
return owner
