-- Draws all lines of a claim, after giving back what an earlier version (or the original of a
-- replacement or void) had, and the charges that it names: all in one step, or nothing.
-- KEYS: the claim, the ledger, the original claim (the claim itself where there is none), the claims
-- that wait of the member of either, the mark of the member, the members that are due, what arrived for
-- the member of either, then for each authorization its accounts and its tokens, then the charges.
-- ARGV: the request as JSON, the record.

local CLAIM, LEDGER, ORIGINAL, WAITING, ORIGINAL_WAITING, MARK = 1, 2, 3, 4, 5, 6
local DUE, ARRIVED, ORIGINAL_ARRIVED, BOOKS = 7, 8, 9, 10

local function free(bounds, balance, measure)
  local limit = bounds[measure]
  if not limit then return nil end
  return math.max(0, limit - used_of(balance, measure) - balance[measure .. 'r'])
end

-- How far down a list of tokens one gets with what is free; those held already cost nothing.
local function reach(book, name, measure, items, first, left)
  local last = first - 1
  for i = first, #items do
    local held = token(book, name .. '|' .. measure .. '|' .. items[i])
    if held.u + held.r == 0 then
      if left < SCALE then break end
      left = left - SCALE
    end
    last = i
  end
  return last
end

-- How many tokens a part is spread over, and the units before the draw: a draw for some days of a part
-- has the tokens of these days alone, and fills them from the first.
local function spread_of(items, all, done)
  if all then return all, 0 end
  return #items, done
end

-- The token in which the next unit after `done` falls.
local function first_token(part, all, done)
  return (portion(all, done, part.w)) + 1
end

-- How many claim units an account's units are worth, up to so many: a limit that stands for "any"
-- may be worth more than can be counted.
local function worth(units, debit, most)
  if units / debit.num * debit.den > most * 1.000001 then return most end
  return math.min(most, (portion(units, debit.den, debit.num)))
end

-- How many more units the tokens of a debit have room for: those that are free, or held already.
local function room_in_tokens(part, draw, debit, measure, done, left)
  local items, all = debit[measure .. 't'], debit[measure .. 'o']
  local count, begun = spread_of(items, all, done)
  local first = first_token(part, count, begun)
  local last = reach(draw.book, debit.n, measure, items, first, left)
  if all and last >= #items then return part.w end
  local covered = last < first and begun or (portion(part.w, last, count))
  return covered - begun
end

local function room_of(part, draw, done, wanted)
  local room = wanted
  for _, debit in ipairs(draw.d) do
    local balance = account(draw.book, debit.n)
    local bounds = draw.book.bounds[base_of(debit.n)]
    local units = free(bounds, balance, 'u')
    for measure, items in pairs({u = debit.ut, d = debit.dt}) do
      local left = free(bounds, balance, measure)
      if #items > 0 and left and (measure == 'd' or debit.num > 0) then
        room = math.min(room, room_in_tokens(part, draw, debit, measure, done, left))
      end
    end
    if #debit.ut == 0 and debit.num > 0 and units then room = worth(units, debit, room) end
  end
  return down_to(math.max(0, room), part.s), room > 0
end

local function money_of(draw)
  local money
  for _, debit in ipairs(draw.d) do
    local left = free(draw.book.bounds[base_of(debit.n)], account(draw.book, debit.n), 'm')
    if left and not debit.free then money = math.min(money or left, left) end
  end
  return money
end

-- What the first so many units of a part cost.
local function cost(part, units)
  if units >= part.w then return part.c end
  return down_to((portion(part.c, units, part.w)), part.cs)
end

-- What so many units cost after `done` of a part: as they are charged, and no more than the price says.
local function due_of(part, draw, done, units)
  local due = cost(part, done + units) - cost(part, done)
  if not draw.price then return due end
  return down_to(worth(units, draw.price, due), part.cs)
end

-- The most units that cost no more than there is money, by charge or by price: in whole steps.
local function paid_by(part, draw, done, room, money)
  local beyond = money + part.cs -- the least that would be too much
  local reached = math.min(part.c, cost(part, done) + beyond)
  local most = up(part.w, reached, part.c) - 1 - done
  local price = draw.price
  if price then
    local by_price = room
    if beyond / price.den * price.num <= room * 1.000001 then
      by_price = up(beyond, price.num, price.den) - 1
    end
    most = math.max(most, by_price)
  end
  return math.max(0, down_to(math.min(room, most), part.s))
end

local function tokens_between(part, items, all, done, granted)
  if #items == 0 then return '' end
  local count, begun = spread_of(items, all, done)
  local taken = {}
  local last = math.min(#items, up(count, begun + granted, part.w))
  for i = first_token(part, count, begun), last do taken[#taken + 1] = items[i] end
  return table.concat(taken, ',')
end

local function row_of(line, part, way, draw, done, granted, due, priced)
  local debits = {}
  for i, debit in ipairs(draw.d) do
    local units = 0
    if #debit.ut == 0 and debit.num > 0 then units = up(granted, debit.num, debit.den) end
    debits[i] = {
      debit.n, text(units), debit.free and '0' or text(due), '0', text(debit.num), text(debit.den),
      tokens_between(part, debit.ut, debit.uo, done, granted),
      tokens_between(part, debit.dt, debit['do'], done, granted),
    }
  end
  return {
    l = line.l, p = part.p, k = way.k, a = draw.book.id, al = draw.l, o = draw.o,
    u = text(granted), m = text(due), f = text(part.first + done), d = debits,
    pr = priced > 0 and text(priced) or nil,
  }
end

-- The last draw that could give anything: the one whose amount may be cut within a unit.
local function last_useful(part, way, wanted)
  for i = #way.d, 1, -1 do
    local money = money_of(way.d[i])
    local has_money = part.c == 0 or not money or money >= part.cs
    if has_money and room_of(part, way.d[i], 0, wanted) > 0 then return i end
  end
  return 0
end

-- What one draw gives of what is still wanted: units, money, and what they are worth. Only the units that
-- the money pays are given; the last draw pays one more in part with what is over.
local function give(part, draw, done, wanted, is_last)
  local room = room_of(part, draw, done, wanted - done)
  local money = money_of(draw)
  local due = due_of(part, draw, done, room)
  if not money or due <= money then return room, due, due end
  money = down_to(money, part.cs)
  local paid = paid_by(part, draw, done, room, money)
  due = due_of(part, draw, done, paid)
  if is_last and paid < room and due < money then
    paid = math.min(room, paid + part.s)
    return paid, money, due_of(part, draw, done, paid)
  end
  return paid, due, due
end

-- Fills one way of a part, draw after draw; gives units, money, and the rows with what they moved, and
-- whether that is all that is wanted, at what it is worth.
local function fill(line, part, way, wanted, ceiling, state)
  local done, paid, is_whole, rows = 0, 0, true, {}
  local last = last_useful(part, way, wanted)
  for i, draw in ipairs(way.d) do
    if done >= wanted then break end
    local granted, due, value = give(part, draw, done, wanted, i == last)
    if granted > 0 then
      local charge = cost(part, done + granted) - cost(part, done)
      is_whole = is_whole and due == value
      due = math.min(due, ceiling - paid)
      local row = row_of(line, part, way, draw, done, granted, due, charge - value)
      rows[#rows + 1] = {row = row, moved = post(row, state, 1)}
      done, paid = done + granted, paid + due
    end
  end
  return done, paid, rows, is_whole and done == wanted
end

-- Every way of a part must grant the same: the least of them counts for all. Gives the rows, and whether
-- that is the whole part; names the kinds that are short by themselves.
local function grant_part(line, part, state, lean)
  local wanted, ceiling = part.w, part.c
  local mark, is_whole = #journal, true
  for round = 1, 2 + 2 * #part.y do
    local least, cheapest, most, dearest, rows = wanted, ceiling, 0, 0, {}
    for _, way in ipairs(part.y) do
      local done, paid, drawn, is_all = fill(line, part, way, wanted, ceiling, state)
      if round == 1 and not is_all then
        is_whole, lean[text(line.l) .. '|' .. way.k] = false, true
      end
      least, cheapest = math.min(least, done), math.min(cheapest, paid)
      most, dearest = math.max(most, done), math.max(dearest, paid)
      for _, row in ipairs(drawn) do rows[#rows + 1] = row end
    end
    if least == most and cheapest == dearest then return rows, is_whole end
    take_back(mark)
    if least == 0 then return {}, false end
    wanted, ceiling = least, cheapest
  end
  take_back(mark)
  return {}, false
end

-- At most so many authorization lines that were tried are told of a claim line.
local TRIED = 20

-- What was asked and gave nothing of a line that came out short: rows of nothing, with the balances
-- of all accounts that it was asked on.
local function tried_of(line, rows)
  local known, tried = {}, {}
  local function key(kind, id, number) return kind .. '|' .. number .. '|' .. id end
  for _, each in ipairs(rows) do known[key(each.row.k, each.row.a, each.row.al)] = true end
  for _, part in ipairs(line.y) do
    for _, way in ipairs(part.y) do
      for _, draw in ipairs(way.d) do
        local name = key(way.k, draw.book.id, draw.l)
        if not known[name] and #tried < TRIED then
          tried[#tried + 1] = {
            row = {l = line.l, p = part.p, k = way.k, a = draw.book.id, al = draw.l, o = draw.o,
              u = '0', m = '0'},
            moved = {},
          }
          known[name] = {of = tried[#tried].moved}
        end
        local met = known[name]
        for _, debit in ipairs(type(met) == 'table' and draw.d or {}) do
          if not met[debit.n] then
            local held = snapshot(account(draw.book, debit.n))
            met[debit.n] = true
            met.of[#met.of + 1] = {n = debit.n, b = held, f = held}
          end
        end
      end
    end
  end
  return tried
end

-- Whether anything is left of every kind of a part, be it less than may be granted.
local function has_any(part)
  for _, way in ipairs(part.y) do
    local found = false
    for _, draw in ipairs(way.d) do
      local money = money_of(draw)
      local _, room = room_of(part, draw, 0, part.w)
      found = found or (room and (part.c == 0 or money == nil or money > 0))
    end
    if not found then return false end
  end
  return true
end

-- A line that may only be drawn whole, and is short, gives everything back; it is then named, and so is
-- one for which less is left than may be granted. Gives its rows, and what it lacks: nothing, or as an
-- answer calls it.
local function grant_line(line, state, short, lean)
  local mark, rows, is_whole, is_any, first = #journal, {}, true, false, 0
  for _, part in ipairs(line.y) do
    part.first, first = first, first + part.w
    local drawn, is_all = grant_part(line, part, state, lean)
    is_whole = is_whole and is_all
    is_any = is_any or #drawn > 0 or has_any(part)
    for _, row in ipairs(drawn) do rows[#rows + 1] = row end
  end
  if is_whole then return rows, nil end
  if line.whole or #rows == 0 then
    take_back(mark)
    if not is_any then return {}, 'exhausted' end
    short[#short + 1] = text(line.l)
    return {}, 'exceeded'
  end
  return rows, 'exceeded'
end

-- The money of a claim unit, turned round: how many claim units are worth a unit of money.
local function read_price(draw)
  if not draw.pn then return nil end
  local price = {num = whole(draw.pd, 'a price'), den = whole(draw.pn, 'a price')}
  if price.num == 0 or price.den == 0 then error('a price of nothing') end
  return price
end

local function read_part(part)
  part.w, part.s = whole(part.w, 'units wanted'), whole(part.s, 'a step')
  part.c, part.cs = whole(part.c, 'a charge'), whole(part.cs, 'a step of money')
  if part.w == 0 or part.s == 0 or part.cs == 0 or #part.y == 0 then error('an empty part') end
  for _, way in ipairs(part.y) do
    for _, draw in ipairs(way.d) do
      draw.book = order[draw.x]
      if not draw.book then error('a draw on an authorization that was not named') end
      draw.price = read_price(draw)
      for _, debit in ipairs(draw.d) do
        debit.num = whole(debit.num or 1, 'a numerator')
        debit.den = whole(debit.den or 1, 'a denominator')
        if debit.den == 0 then error('a rate of nothing') end
        debit.ut, debit.dt = debit.ut or {}, debit.dt or {}
        for _, count in ipairs({'uo', 'do'}) do
          if debit[count] then debit[count] = math.max(1, whole(debit[count], 'a count')) end
        end
        if not draw.book.bounds[base_of(word(debit.n, 'an account'))] then
          error('an account without bounds')
        end
      end
    end
  end
end

local function check_request(request)
  check_type(KEYS[LEDGER], 'stream')
  check_type(KEYS[WAITING], 'zset')
  check_type(KEYS[ORIGINAL_WAITING], 'zset')
  check_type(KEYS[DUE], 'zset')
  check_type(KEYS[ARRIVED], 'hash')
  check_type(KEYS[ORIGINAL_ARRIVED], 'hash')
  check_words(request, {'k', 'c', 'm', 'at', 'fp'}, {'by', 'obo', 'why', 'oc', 'os'})
  request.v = text(whole(request.v, 'a version'))
  if type(ARGV[2]) ~= 'string' then error('the record is missing') end
end

-- Opens all books with the limits of the versions that were matched; gives what changed of them, the
-- first authorization of which another version is in force, the first of which this version is newer,
-- and counts otherwise: first what was drawn before must be counted as it does; and whether counters
-- by which it was decided what the claim needs are other than they were seen.
local function open_books(request)
  local amended, stale, behind, is_other = {}, nil, nil, false
  for i, given in ipairs(request.a) do
    local at = BOOKS + 2 * (i - 1)
    local book = open_book(given.id, KEYS[at], KEYS[at + 1], given)
    if given.seen and book.n ~= whole(given.seen, 'a sequence') then is_other = true end
    if given.v then
      local version = whole(given.v, 'a version')
      if book.v > version or (book.v == version and book.st ~= 'open') then
        stale = stale or given.id
      elseif book.sh and book.sh ~= given.sh then
        behind = behind or given.id
      else
        amended[#amended + 1] = take_version(book, given)
      end
    end
  end
  return amended, stale, behind, is_other
end

-- Counts the claim for the tables, as a part of what it holds: it needs no room.
local function count_lines(request, state, rows, kept)
  for _, row in ipairs(request.ct) do
    rows[#rows + 1], kept[#kept + 1] = {row = row, moved = post(row, state, 1)}, row
  end
end

-- A candidate that is not here was never drawn on, or is at rest: it is asked for where something waits
-- for an examiner, or an authorization is drawn on for the first time; where all is paid it is left out.
local function ask_for_candidates(request)
  for _, each in ipairs(request.lk) do
    if not order[each.x].is_known then open_new(order[each.x]) end
  end
end

-- The balances of candidates as they are now.
local function look_at(request)
  local found = {}
  for _, each in ipairs(request.lk) do
    local book = order[each.x]
    if book.is_known then
      for _, name in ipairs(each.n) do
        found[#found + 1] = {a = book.id, n = name, f = snapshot(account(book, name))}
      end
    end
  end
  return encode_list(found)
end

-- Draws all lines; gives the rows with what they moved, the answer's lists, whether it waits for an
-- authorization, and whether every line waits for an examiner.
local function draw_lines(request, state)
  local rows, kept, tried, short, lean = {}, {}, {}, {}, {}
  local all_wait, is_short = request.ow, false
  local waits_for = request.wt or {}
  local waits = waits_for.events
  for _, line in ipairs(request.l) do
    for _, part in ipairs(line.y) do read_part(part) end
  end
  for _, line in ipairs(request.l) do
    local drawn, lacks = grant_line(line, state, short, lean)
    for _, each in ipairs(drawn) do rows[#rows + 1], kept[#kept + 1] = each, each.row end
    if lacks and waits_for[lacks] then waits = true end
    is_short = is_short or lacks ~= nil
    if #drawn > 0 or not line.ws[lacks or ''] then all_wait = false end
    for _, each in ipairs(lacks and tried_of(line, drawn) or {}) do tried[#tried + 1] = each end
  end
  if is_short then ask_for_candidates(request) end
  local lists = {
    w = encode_list(short), k = encode_list(names_of(lean)), t = encode_list(tried),
    bl = look_at(request),
  }
  return rows, kept, lists, waits, all_wait, is_short
end

local function keep_waiting(request, waits, is_known, has_original)
  if waits then
    redis.call('ZADD', KEYS[WAITING], 0, request.c)
  elseif is_known then
    redis.call('ZREM', KEYS[WAITING], request.c)
  end
  if has_original then redis.call('ZREM', KEYS[ORIGINAL_WAITING], request.oc) end
end

-- Writes the ledger entry, and both claims as they are now; gives the id of the entry.
local function write_claim(request, claim, original, kept, fields, waits, charges, billed)
  local entry = {'k', request.k, 'c', request.c, 'v', request.v, 'n', text(claim.n + 1),
    'oc', request.oc or '', 'os', request.os or '', 's', request.s, 'at', request.at,
    'by', request.by or '', 'obo', request.obo or '', 'why', request.why or '', 'fp', request.fp,
    'm', request.m, 'mt', request.mt or ''}
  local function add(name, value) entry[#entry + 1], entry[#entry + 2] = name, value end
  for name, value in pairs(fields) do add(name, value) end
  if original then
    add('on', text(original.n + 1))
    add('om', word(request.om, 'the member of the original'))
  end
  if waits then
    add('wt', '1')
  end
  local id = enter(KEYS[LEDGER], unpack(entry))
  write_billed(charges, billed, request.m)
  -- A charge that claims of another member only named is that of whom it is attached for.
  if redis.call('HGET', KEYS[CLAIM], 'm') ~= request.m then redis.call('HDEL', KEYS[CLAIM], 'bb') end
  redis.call('HSET', KEYS[CLAIM], 'id', request.c, 'm', request.m, 'n', text(claim.n + 1),
    'v', request.v, 's', request.s, 'mv', encode_list(kept), 'fp:' .. request.v, request.fp,
    'e:' .. request.v, id)
  if original then
    redis.call('HSET', KEYS[ORIGINAL], 'n', text(original.n + 1), 's', request.os, 'mv', '[]',
      'by', request.c)
  end
  return id
end

return run(function()
  local request = cjson.decode(ARGV[1])
  check_request(request)
  local claim = open_claim(KEYS[CLAIM])
  local original = KEYS[ORIGINAL] ~= KEYS[CLAIM] and open_claim(KEYS[ORIGINAL]) or nil
  if claim.n ~= whole(request.n, 'a sequence') or
    (original and original.n ~= whole(request.on, 'a sequence')) then
    return {s = 'moved'}
  end
  local amended, stale, behind, is_other = open_books(request)
  local charges, is_moved = open_charges(request.ch, BOOKS - 1 + 2 * #request.a, request.m)
  if has_new or request.lkn then ask_for_candidates(request) end
  if #absent > 0 then return {s = 'absent', a = absent} end
  if is_other or is_moved then return {s = 'moved'} end
  if stale then return {s = 'stale', a = stale} end
  if behind then return {s = 'behind', a = behind} end
  local state = STATES[word(request.s, 'a state')]
  if #request.l > 0 and not state then error('no such state') end
  local undone = undo(claim)
  local given_back = original and undo(original) or {}
  local unattached, billed = bill(charges, request.c)
  local rows, kept, lists, waits, all_wait, is_short = draw_lines(request, state)
  if #absent > 0 then return {s = 'absent', a = absent} end
  if state and all_wait then request.s = 'suspended' end
  if STATES[request.s] then count_lines(request, state, rows, kept) end
  local result = {
    s = 'ok', r = encode_list(rows), u = encode_list(undone), o = encode_list(given_back),
    t = lists.t, bl = lists.bl, w = lists.w, k = lists.k, st = request.s, cg = encode_list(unattached),
  }
  if request.dry or (request.all and is_short) then return result end
  -- A push that came after the claim was looked up did not see it waiting: it is looked up again.
  if waits and (redis.call('GET', KEYS[MARK]) or '') ~= request.mk then
    return {s = 'moved'}
  end

  local sequence = write_books()
  result.e = write_claim(request, claim, original, kept, {
    r = result.r, u = result.u, o = result.o, t = result.t, bl = result.bl, w = result.w, sk = result.k,
    am = encode_list(amended), q = encode_list(sequence), b = ARGV[2],
    cb = billed[1] and encode_list(billed), cg = billed[1] and result.cg,
  }, waits, charges, billed)
  -- Last: a Redis without memory refuses a script only before its first write, and this never is.
  keep_waiting(request, waits, claim.n > 0, original ~= nil)
  note_freed(request.late, request.m, request.c, KEYS[WAITING], KEYS[DUE], KEYS[ARRIVED], result.e)
  if original and request.om ~= request.m then
    note_freed(request.late, request.om, request.oc, KEYS[ORIGINAL_WAITING], KEYS[DUE],
      KEYS[ORIGINAL_ARRIVED], result.e)
  end
  return result
end)
