-- Goes on with a pass later; a member for whom something arrived meanwhile is due at once: that stands.
-- KEYS: the members that are due, the passes. ARGV: the member, its pass, the lease, when it is due.

local due = redis.call('ZSCORE', KEYS[1], ARGV[1])
if due then redis.call('HSET', KEYS[2], ARGV[1], ARGV[2]) end
if due == ARGV[3] then redis.call('ZADD', KEYS[1], ARGV[4], ARGV[1]) end
return 1
