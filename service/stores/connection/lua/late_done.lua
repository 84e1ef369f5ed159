-- Ends a pass; what arrived since it began makes the member due again.
-- KEYS: the members that are due, the passes, what arrived. ARGV: the member, now, then each id of the
-- pass with its stamp.

redis.call('HDEL', KEYS[2], ARGV[1])
for i = 3, #ARGV, 2 do
  local stamp = redis.call('HGET', KEYS[3], ARGV[i])
  if stamp == ARGV[i + 1] then redis.call('HDEL', KEYS[3], ARGV[i]) end
end
if redis.call('EXISTS', KEYS[3]) == 0 then
  redis.call('ZREM', KEYS[1], ARGV[1])
else
  redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
end
return 1
