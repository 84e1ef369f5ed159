-- Ends all sessions of a user. KEYS: the names of their keys, all in one slot. Gives how many there
-- were still.

local ended = 0
for _, key in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  ended = ended + redis.call('DEL', key)
end
redis.call('DEL', KEYS[1])
return ended
