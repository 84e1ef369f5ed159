-- Reads hashes of a book and the part of its ledger after an id, all of the same moment.
-- KEYS: the ledger, then the hashes. ARGV: the last id that is known, how many entries at most.
-- Gives the last id that was ever given out, the entries, and of each hash its fields, of a sorted set
-- its members with their scores, or nothing where the key holds something else.

local last = '0-0'
if redis.call('EXISTS', KEYS[1]) == 1 then
  local told = redis.call('XINFO', 'STREAM', KEYS[1])
  for i = 1, #told, 2 do
    if told[i] == 'last-generated-id' then last = told[i + 1] end
  end
end
local entries = redis.call('XRANGE', KEYS[1], '(' .. ARGV[1], '+', 'COUNT', ARGV[2])
local hashes = {}
for i = 2, #KEYS do
  local kind = redis.call('TYPE', KEYS[i]).ok
  if kind == 'zset' then
    hashes[i - 1] = redis.call('ZRANGE', KEYS[i], 0, -1, 'WITHSCORES')
  else
    hashes[i - 1] = (kind == 'hash' or kind == 'none') and redis.call('HGETALL', KEYS[i])
  end
end
return {last, entries, hashes}
