-- Counts what claims hold as a pushed version counts it, all in one step: which lines it has, in which
-- units and periods. Nothing is drawn and nothing is given back.
-- KEYS: the ledger, then of each authorization its accounts and its tokens, the same of what else the
-- claims hold something of, then the claims. ARGV: the request as JSON; its rows are all that each claim
-- is to hold.

local LEDGER, BOOKS = 1, 2

-- What a claim holds in all, of each line and kind: a recount changes none of it.
local function sums_of(rows)
  local sums = {}
  for _, row in ipairs(rows) do
    local name = row.l .. '|' .. row.k
    local units, money = whole(row.u, 'units'), whole(row.m, 'an amount')
    local known = sums[name] or {0, 0}
    sums[name] = {known[1] + units, known[2] + money}
  end
  return sums
end

local function check_same(before, after)
  for name, sums in pairs(before) do
    local now = after[name] or {0, 0}
    if now[1] ~= sums[1] or now[2] ~= sums[2] then error('a recount that would lose or double') end
  end
  for name in pairs(after) do
    if not before[name] then error('a recount that would draw') end
  end
end

-- What was corrected by hand goes with the lines; gives what an entry says of it.
local function move_corrections(request)
  local told = {}
  for i, given in ipairs(request.a) do
    for _, each in ipairs(given.cr) do
      local balance = account(order[i], word(each[1], 'an account'))
      for place, field in ipairs(CORRECTED) do
        balance[field] = balance[field] + signed(each[place + 1], 'a correction')
      end
      told[#told + 1] = {given.id, each[1], each[2], each[3], each[4]}
    end
  end
  return told
end

-- Opens what is recounted; gives the claims and what changed of the authorizations, or why not.
local function open_all(request)
  local amended, claims = {}, {}
  for i, given in ipairs(request.a) do
    local at = BOOKS + 2 * (i - 1)
    local book = open_book(given.id, KEYS[at], KEYS[at + 1], given)
    if book.n ~= whole(given.n, 'a sequence') then return nil, 'moved' end
    if given.st then
      book.st, book.amended = given.st, {}
      book.ln, book.gh = given.ln, given.gh
      amended[#amended + 1] = {
        a = given.id, v = text(book.v), b = '[]', st = given.st, sh = book.sh, ln = given.ln,
        gh = given.gh,
      }
    else
      amended[#amended + 1] = take_version(book, given)
    end
  end
  for i, id in ipairs(request.o) do
    local at = BOOKS + 2 * (#request.a + i - 1)
    open_book(id, KEYS[at], KEYS[at + 1], {})
  end
  if #absent > 0 then return nil, 'absent' end
  for i, given in ipairs(request.cs) do
    local claim = open_claim(KEYS[BOOKS + 2 * (#request.a + #request.o) + i - 1])
    if claim.n ~= whole(given.n, 'a sequence') then return nil, 'moved' end
    claims[i] = claim
  end
  return claims, amended
end

return run(function()
  local request = cjson.decode(ARGV[1])
  check_type(KEYS[LEDGER], 'stream')
  check_words(request, {'at'}, {'by', 'obo', 'why'})
  local claims, amended = open_all(request)
  if not claims then return {s = amended, a = absent} end

  local corrected, undone, redone, said = move_corrections(request), {}, {}, {}
  for _, claim in ipairs(claims) do
    claim.undone = undo(claim)
    for _, each in ipairs(claim.undone) do undone[#undone + 1] = each end
  end
  for i, claim in ipairs(claims) do
    local given, state = request.cs[i], STATES[claim.s]
    claim.next = decode_rows(given.r)
    if #claim.undone > 0 then check_same(sums_of(claim.rows), sums_of(claim.next)) end
    if not state then error('a claim that holds nothing') end
    for _, row in ipairs(claim.next) do
      redone[#redone + 1] = {row = row, moved = post(row, state, 1)}
    end
    said[i] = {
      word(given.c, 'a claim'), text(claim.n + 1), word(given.m, 'a member'), claim.s,
      text(#claim.undone), text(#claim.next),
    }
  end

  local sequence = write_books()
  for _, claim in ipairs(claims) do
    redis.call('HSET', claim.key, 'n', text(claim.n + 1), 'mv', encode_list(claim.next))
  end
  local entry = enter(KEYS[LEDGER], 'k', 'recount', 'a', request.a[1].id,
    'v', text(order[1].v), 'at', request.at, 'by', request.by or '', 'obo', request.obo or '',
    'why', request.why or '',
    'cs', encode_list(said), 'cd', encode_list(corrected), 'am', encode_list(amended), 'u', encode_list(undone),
    'r', encode_list(redone), 'q', encode_list(sequence))
  return {s = 'ok', e = entry}
end)
