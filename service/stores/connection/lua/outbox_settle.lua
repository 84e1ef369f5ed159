-- Takes out of the outbox what was delivered, and keeps for a while what became of it.
-- KEYS: queue, bytes; then of each its entry, what became of it, its owner's queue.
-- ARGV: how many seconds it is known; then of each what became of it. Gives how many were there
-- still.

local HEAD, EACH = 2, 3
local settled = 0
for number = 0, #ARGV - 2 do
  local key = HEAD + number * EACH
  local entry = redis.call('HMGET', KEYS[key + 1], 'place', 'size')
  if entry[1] then
    redis.call('ZREM', KEYS[1], entry[1])
    redis.call('ZREM', KEYS[key + 3], entry[1])
    redis.call('DECRBY', KEYS[2], entry[2])
    redis.call('DEL', KEYS[key + 1])
    redis.call('SET', KEYS[key + 2], ARGV[number + 2], 'EX', ARGV[1])
    settled = settled + 1
  end
end
return settled
