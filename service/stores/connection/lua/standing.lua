-- Tells of each of the KEYS, which are claims, its status if an adjudication of it is in force; 'other' if
-- another one is, and nothing if the claim is not here.
-- ARGV: for each claim the version and the ledger entry of the adjudication.

local told = {}
for i, key in ipairs(KEYS) do
  local version, entry = ARGV[2 * i - 1], ARGV[2 * i]
  local status, newest, written = unpack(redis.call('HMGET', key, 's', 'v', 'e:' .. version))
  if not status then
    told[i] = ''
  elseif newest == version and written == entry then
    told[i] = status
  else
    told[i] = 'other'
  end
end
return told
