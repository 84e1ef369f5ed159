-- Opens a claim that left the bucket of a merged member, as it was there; once.
-- KEYS: the claim, the ledger, the claims of the member that wait.
-- ARGV: the request as JSON, the fields as a list of pairs in JSON, `wt` among them if it waits.

return run(function()
  local request, given = cjson.decode(ARGV[1]), cjson.decode(ARGV[2])
  check_type(KEYS[1], 'hash')
  check_type(KEYS[2], 'stream')
  check_type(KEYS[3], 'zset')
  check_words(request, {'c', 'm', 'at'}, {'by', 'why'})
  if redis.call('EXISTS', KEYS[1]) == 1 then return cjson.encode({s = 'same'}) end
  local fields = {}
  for _, pair in ipairs(given) do fields[word(pair[1], 'a field')] = word(pair[2], 'a value') end
  local version, status = text(whole(fields.v, 'a version')), word(fields.s, 'a state')
  if fields.wt then redis.call('ZADD', KEYS[3], 0, request.c) end
  fields.wt = nil
  for field, value in pairs(fields) do redis.call('HSET', KEYS[1], field, value) end
  redis.call('XADD', KEYS[2], '*', 'k', 'enter', 'c', request.c, 'v', version, 's', status,
    'm', request.m, 'f', ARGV[2], 'at', request.at, 'by', request.by, 'why', request.why, 'q', '[]')
  return cjson.encode({s = 'ok'})
end)
