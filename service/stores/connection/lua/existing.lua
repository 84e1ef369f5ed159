-- Tells of each of the KEYS whether it is there (1), may be at rest (2), or never was there (0).
-- The last of the KEYS is what was ever at rest: how its pages begin (see books.lua).

local found = {}
for i = 1, #KEYS - 1 do
  found[i] = redis.call('EXISTS', KEYS[i])
  if found[i] == 0 then
    local page, bit = KEYS[#KEYS] .. ':' .. string.sub(KEYS[i], -7, -5), string.sub(KEYS[i], -4)
    found[i] = 2 * redis.call('GETBIT', page, math.floor(tonumber(bit, 16) / 4))
  end
end
return found
