-- Closes a claim in the bucket of a member that was merged into another one: it goes to the bucket
-- of that one (see enter.lua). A claim that was never adjudicated is closed all the same: another
-- worker may be about to draw it here.
-- KEYS: the claim, the ledger, the claims of the member that wait. ARGV: the request as JSON.
-- Gives all fields that the claim had, and `wt` if it waits; the same again where it was closed
-- before.

return run(function()
  local request = cjson.decode(ARGV[1])
  check_type(KEYS[1], 'hash')
  check_type(KEYS[2], 'stream')
  check_type(KEYS[3], 'zset')
  check_words(request, {'c', 'to', 'm', 'at'}, {'by', 'why'})
  local fields = read_hash(KEYS[1])
  if fields.to then return cjson.encode({s = 'left', to = fields.to, f = fields.gone}) end
  if whole(fields.n or '0', 'a sequence') ~= whole(request.n, 'a sequence') then
    return cjson.encode({s = 'moved'})
  end
  for field in pairs(fields) do
    if string.sub(field, 1, 3) == 'ow:' then return cjson.encode({s = 'moved'}) end
  end

  local had = pairs_of(fields)
  if redis.call('ZREM', KEYS[3], request.c) == 1 then had[#had + 1] = {'wt', '1'} end
  local gone, number = encode_list(had), text(whole(request.n, 'a sequence') + 1)
  local version, status = fields.v or '0', fields.s or 'none'
  redis.call('HSET', KEYS[1], 'id', request.c, 'n', number, 'v', version, 's', status,
    'mv', '[]', 'to', request.to, 'gone', gone)
  redis.call('XADD', KEYS[2], '*', 'k', 'depart', 'c', request.c, 'v', version, 's', status,
    'm', request.m, 'to', request.to, 'f', gone, 'at', request.at, 'by', request.by,
    'why', request.why, 'q', '[]')
  return cjson.encode({s = 'left', to = request.to, f = gone})
end)
