-- Corrects by hand what is used of one account of an authorization; the same correction again is none.
-- KEYS: its accounts, its tokens, the ledger, the claims of the member that wait, the members that are
-- due, what arrived for this one. ARGV: the request as JSON.

local ACCOUNTS, TOKENS, LEDGER, WAITING, DUE, ARRIVED = 1, 2, 3, 4, 5, 6

return run(function()
  local request = cjson.decode(ARGV[1])
  check_type(KEYS[LEDGER], 'stream')
  check_type(KEYS[WAITING], 'zset')
  check_type(KEYS[DUE], 'zset')
  check_type(KEYS[ARRIVED], 'hash')
  check_words(request, {'k', 'ci', 'cf', 'ch', 'ac', 'm', 'at', 'why'}, {'by', 'obo'})
  local given = request.a
  local book = open_book(given.id, KEYS[ACCOUNTS], KEYS[TOKENS], given)
  if #absent > 0 then return {s = 'absent', a = absent} end
  local field = 'c:' .. request.cf
  local known = redis.call('HGET', book.key, field)
  if known then return {s = known == request.ch and 'same' or 'other'} end
  local version = whole(given.v, 'a version')
  if book.v > version or (book.v == version and book.st ~= 'open') or (book.sh and book.sh ~= given.sh) then
    return {s = 'stale', a = given.id}
  end

  local amended = {take_version(book, given)}
  local balance = account(book, request.ac)
  if not book.bounds[base_of(request.ac)] then error('an account without bounds') end
  local before, row = snapshot(balance), request.r
  for _, measure in ipairs(MEASURES) do
    local corrected = measure .. 'c'
    local now = balance[corrected] + signed(request.by_measure[measure], 'a correction')
    if balance[measure .. 'u'] + now < 0 then return {s = 'below', a = measure} end
    if balance[measure .. 'u'] + balance[measure .. 'r'] + now > MAX then
      return {s = 'above', a = measure}
    end
    balance[corrected] = now
  end
  local moved = {{row = row, moved = {{n = request.ac, b = before, f = snapshot(balance)}}}}
  local sequence = write_books()
  redis.call('HSET', book.key, field, request.ch)
  local deltas = request.by_measure
  local entry = enter(KEYS[LEDGER], 'k', request.k, 'a', given.id, 'v', text(book.v),
    'at', request.at, 'by', request.by or '', 'obo', request.obo or '', 'why', request.why,
    'ci', request.ci, 'cf', request.cf, 'ch', request.ch,
    'cr', cjson.encode({request.ac, deltas.u, deltas.m, deltas.d}), 'r', encode_list(moved),
    'am', encode_list(amended), 'q', encode_list(sequence))
  note_freed(request.late, request.m, '', KEYS[WAITING], KEYS[DUE], KEYS[ARRIVED], entry)
  return {s = 'ok', e = entry}
end)
