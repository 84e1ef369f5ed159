-- Tells of each of the KEYS whether it is there (1), may be at rest (2), or never was there (0).
-- The last of the KEYS is what was ever at rest.

local found = {}
for i = 1, #KEYS - 1 do
  found[i] = redis.call('EXISTS', KEYS[i])
  if found[i] == 0 then
    local bit = math.floor(tonumber(string.sub(KEYS[i], -7), 16) / 4)
    found[i] = 2 * redis.call('GETBIT', KEYS[#KEYS], bit)
  end
end
return found
