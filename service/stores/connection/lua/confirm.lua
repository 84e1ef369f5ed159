-- Drops the note of what a claim owed elsewhere, after all of it was changed there; keeps in which
-- buckets that was.
-- KEYS: the claim, the ledger. ARGV: the request as JSON.

return run(function()
  local request = cjson.decode(ARGV[1])
  check_type(KEYS[1], 'hash')
  check_type(KEYS[2], 'stream')
  check_words(request, {'c', 'v', 'at'}, {})
  local number = text(whole(request.n, 'a sequence'))
  for _, bucket in ipairs(request.el) do word(bucket, 'a bucket') end
  if redis.call('HEXISTS', KEYS[1], 'ow:' .. number) == 0 then return cjson.encode({s = 'same'}) end
  redis.call('HDEL', KEYS[1], 'ow:' .. number)
  for _, bucket in ipairs(request.el) do redis.call('HSET', KEYS[1], 'el:' .. bucket, '1') end
  redis.call('XADD', KEYS[2], '*', 'k', 'confirm', 'c', request.c, 'v', request.v, 'n', number,
    'el', encode_list(request.el), 'at', request.at, 'q', '[]')
  return cjson.encode({s = 'ok'})
end)
