-- Marks a book as found whole on this server, or as closed; another mark than is expected stays.
-- KEYS: the epoch. ARGV: the epoch that is expected (empty where there is none, * for any), the epoch.

local known = redis.call('HGET', KEYS[1], 'e') or ''
if ARGV[1] ~= '*' and known ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'e', ARGV[2], 'i', server())
return 1
