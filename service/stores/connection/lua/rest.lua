-- Drops what was written to the archive, if nobody moved it since.
-- KEYS: the hash of a claim or the accounts of an authorization, its tokens (the hash itself where it
-- has none), what was recalled, the page of its bit. ARGV: the sequence that was archived, its name among the
-- recalled, the bit.

local is_same = redis.call('HGET', KEYS[1], 'n') == ARGV[1]
if is_same then
  redis.call('UNLINK', KEYS[1], KEYS[2]) -- first: a Redis without memory refuses but the first write
  redis.call('SETBIT', KEYS[4], ARGV[3], 1)
end
redis.call('ZREM', KEYS[3], ARGV[2])
return is_same and 1 or 0
