-- Raises the marks of members, then tells who has claims that wait: one that begins to wait sees the
-- mark. KEYS: the marks, then the claims that wait, of each member. ARGV: the number of the push.

local waiting, count = {}, #KEYS / 2
for i = 1, count do
  local now = redis.call('GET', KEYS[i])
  if not now or tonumber(now) < tonumber(ARGV[1]) then redis.call('SET', KEYS[i], ARGV[1]) end
  waiting[i] = redis.call('EXISTS', KEYS[count + i])
end
return waiting
