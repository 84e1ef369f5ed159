-- Brings back what was archived, unless it is here.
-- KEYS: the hash of a claim or the accounts of an authorization, its tokens (the hash itself where it
-- has none), what was recalled. ARGV: fields and tokens as JSON objects, the time, its name among the
-- recalled.

if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
for i = 1, 2 do
  for field, value in pairs(cjson.decode(ARGV[i])) do redis.call('HSET', KEYS[i], field, value) end
end
redis.call('ZADD', KEYS[3], ARGV[3], ARGV[4])
return 1
