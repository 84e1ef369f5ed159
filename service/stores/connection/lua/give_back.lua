-- Changes what a claim of a former member holds of an authorization, in the bucket in which that is
-- kept now; never to more. Done once by claim and number: the accounts remember the last one.
-- KEYS: accounts and tokens of the authorization, the ledger. ARGV: the request as JSON.
-- Says `gone` where it went on to another member, `wait` where it has not arrived yet.

return run(function()
  local request = cjson.decode(ARGV[1])
  check_type(KEYS[3], 'stream')
  check_words(request, {'a', 'c', 'v', 'g', 'os', 's', 'at', 'o', 'r'}, {'by', 'why'})
  local number = whole(request.n, 'a sequence')
  local book = open_book(request.a, KEYS[1], KEYS[2])
  if book.st == 'moved' then return cjson.encode({s = 'gone', to = book.to}) end
  local mark = 'back:' .. request.c
  local known = redis.call('HMGET', KEYS[1], 'from:' .. request.g, mark)
  if not known[1] then return cjson.encode({s = 'wait'}) end
  if known[2] and whole(known[2], 'a sequence') >= number then return cjson.encode({s = 'done'}) end

  local before, after = decode_rows(request.o), decode_rows(request.r)
  local was, is = STATES[request.os], STATES[request.s]
  if not was or (#after > 0 and not is) then error('rows that nobody would hold') end
  local undone, redone = {}, {}
  for i, row in ipairs(before) do undone[i] = {row = row, moved = post(row, was, -1)} end
  for i, row in ipairs(after) do redone[i] = {row = row, moved = post(row, is, 1)} end
  check_growth()

  book.amended = {} -- it changes in any case: the mark is one of its fields
  local sequence = write_books()
  redis.call('HSET', KEYS[1], mark, text(number))
  redis.call('XADD', KEYS[3], '*', 'k', 'give_back', 'a', request.a, 'c', request.c, 'v', request.v,
    'n', text(number), 'was', request.os, 's', request.s, 'at', request.at, 'by', request.by,
    'why', request.why, 'u', encode_list(undone), 'r', encode_list(redone),
    'q', encode_list(sequence))
  return cjson.encode({s = 'ok'})
end)
