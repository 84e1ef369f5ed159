-- Raises the number up to which all pushes are searchable: refreshes may end in either order.
-- KEYS: the number. ARGV: the new one.

local now = redis.call('GET', KEYS[1])
if not now or tonumber(now) < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], ARGV[1]) end
return 1
