-- Changes what a claim holds, never to more: finalises what was reserved, gives all or a part back.
-- KEYS: the claim, the ledger, the claims of the member that wait, the members that are due, what arrived
-- for this one, then accounts and tokens of each authorization that the claim holds.
-- ARGV: the request as JSON; its rows are those that the claim is to hold afterwards.

return run(function()
  local request = cjson.decode(ARGV[1])
  check_type(KEYS[2], 'stream')
  check_type(KEYS[3], 'zset')
  check_type(KEYS[4], 'zset')
  check_type(KEYS[5], 'hash')
  check_words(request, {'k', 'c', 'm', 'at', 'r'}, {'by', 'obo', 'why'})
  local claim = open_claim(KEYS[1])
  if claim.n ~= whole(request.n, 'a sequence') then return {s = 'moved'} end
  if not claim.v then error('a claim that was never drawn') end
  for i, id in ipairs(request.a) do open_book(id, KEYS[4 + 2 * i], KEYS[5 + 2 * i], {}) end
  if #absent > 0 then return {s = 'absent', a = absent} end
  local rows = decode_rows(request.r)
  local state = STATES[word(request.s, 'a state')]
  if #rows > 0 and not state then error('rows that nobody would hold') end

  local undone = undo(claim)
  local redone = {}
  for i, row in ipairs(rows) do redone[i] = {row = row, moved = post(row, state, 1)} end
  check_growth()

  local sequence, number = write_books(), text(claim.n + 1)
  local result = {s = 'ok', r = encode_list(redone), u = encode_list(undone)}
  result.e = enter(KEYS[2], 'k', request.k, 'c', request.c, 'v', claim.v,
    'n', number, 's', request.s, 'at', request.at, 'by', request.by or '',
    'obo', request.obo or '', 'why', request.why or '', 'm', request.m, 'r', result.r, 'u', result.u,
    'q', encode_list(sequence))
  redis.call('HSET', KEYS[1], 'n', number, 's', request.s, 'mv', encode_list(rows))
  if not state then redis.call('ZREM', KEYS[3], request.c) end
  note_freed(request.late, request.m, request.c, KEYS[3], KEYS[4], KEYS[5], result.e)
  return result
end)
