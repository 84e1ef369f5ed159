-- Tells how a book is marked.
-- KEYS: the epoch, the ledger.
-- Gives the epoch, the server on which the book was found whole, this server, and the last id that the
-- ledger ever gave out.

local last = '0-0'
if redis.call('TYPE', KEYS[2]).ok == 'stream' then
  local told = redis.call('XINFO', 'STREAM', KEYS[2])
  for i = 1, #told, 2 do
    if told[i] == 'last-generated-id' then last = told[i + 1] end
  end
end
local known = redis.call('HMGET', KEYS[1], 'e', 'i')
return {known[1] or '', known[2] or '', server(), last}
