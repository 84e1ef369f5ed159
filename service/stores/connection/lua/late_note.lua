-- Notes what arrived for a member; of too many ids it keeps that anything may have arrived.
-- KEYS: the members that are due, what arrived for this one. ARGV: the member, when it is due, the
-- most ids, a stamp, then the ids.

for i = 5, #ARGV do redis.call('HSET', KEYS[2], ARGV[i], ARGV[4]) end
if redis.call('HLEN', KEYS[2]) > tonumber(ARGV[3]) then
  redis.call('DEL', KEYS[2])
  redis.call('HSET', KEYS[2], '*', ARGV[4])
end
return redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
