-- Copies records of merged members; they come in any order, and a newer one stays.
-- KEYS: the copies. ARGV: of each record its field, its revision, its content.

for i = 1, #ARGV, 3 do
  local known = redis.call('HGET', KEYS[1], ARGV[i])
  local revision = known and tonumber(string.match(known, '^(%d+) ')) or -1
  if revision < tonumber(ARGV[i + 1]) then
    redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1] .. ' ' .. ARGV[i + 2])
  end
end
return 1
