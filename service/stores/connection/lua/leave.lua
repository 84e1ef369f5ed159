-- Closes the accounts of an authorization that goes to another member. Its balances stay as they are
-- and are taken in there (see arrive.lua). Where nothing was used yet it is closed all the same: a
-- claim that was matched before would begin to use it here.
-- KEYS: accounts and tokens of the authorization, the ledger. ARGV: the request as JSON.
-- Gives all fields and tokens; the same again where it was closed before.

return run(function()
  local request = cjson.decode(ARGV[1])
  check_type(KEYS[1], 'hash')
  check_type(KEYS[2], 'hash')
  check_type(KEYS[3], 'stream')
  check_words(request, {'a', 'to', 'o', 'at'}, {'by', 'why'})
  local version, moves = whole(request.v, 'a version'), whole(request.mo or 0, 'a count of moves')
  local fields = read_hash(KEYS[1])
  if is_overtaken(fields, version, moves) then return cjson.encode({s = 'older'}) end

  local was_open = fields.st ~= 'moved'
  local is_known = not was_open and fields.v == text(version) and fields.to == request.to
    and moves_of(fields) == moves
  -- What was frozen is named once: by the bucket and the version with which it was, and where a
  -- member was merged, by how often it went.
  local grain = request.o .. '@' .. text(version) .. (moves > 0 and '.' .. text(moves) or '')
  fields.g = was_open and grain or word(fields.g, 'a grain')
  local answer = {s = 'left', g = fields.g, f = encode_list(pairs_of(fields)),
    t = encode_list(pairs_of(read_hash(KEYS[2])))}
  if is_known then return cjson.encode(answer) end

  local number = text(whole(fields.n or '0', 'a sequence') + 1)
  redis.call('HSET', KEYS[1], 'id', request.a, 'n', number, 'v', text(version), 'st', 'moved',
    'to', request.to, 'g', fields.g)
  if moves > 0 then redis.call('HSET', KEYS[1], 'mo', text(moves)) end
  redis.call('XADD', KEYS[3], '*', 'k', 'leave', 'a', request.a, 'v', text(version),
    'to', request.to, 'g', fields.g, 'at', request.at, 'by', request.by,
    'why', request.why, 'mo', moves > 0 and text(moves) or '',
    'q', encode_list({{request.a, number}}))
  return cjson.encode(answer)
end)
