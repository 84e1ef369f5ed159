-- The book of a payer: balances of accounts, who holds a shared token, rows of movement.
-- Everything is computed on copies first and written last, since a script is not rolled back.
-- Numbers are whole (see service/accounting/books/scale.py) and written as text: a double written by
-- Lua itself would lose digits.

local MAX, SCALE = 9007199254740991, 3000000
local MEASURES = {'u', 'm', 'd'} -- units, amount (money), days

local function whole(given, name)
  local number = tonumber(given)
  if number == nil or number ~= math.floor(number) or number < 0 or number > MAX then
    error(name .. ' is not a whole number that can be counted')
  end
  return number
end

local texts = {} -- the same numbers are written again and again
local function text(number)
  local found = texts[number]
  if not found then
    found = string.format('%.0f', number)
    texts[number] = found
  end
  return found
end

local function signed(given, name)
  local number = tonumber(given)
  if number == nil or number ~= math.floor(number) or math.abs(number) > MAX then
    error(name .. ' is not a whole number that can be counted')
  end
  return number
end

local function word(given, name)
  if type(given) ~= 'string' or given == '' then error(name .. ' is missing') end
  return given
end

-- a * b / c rounded down, and the rest, exactly: a product may be longer than a double is.
local function portion(a, b, c)
  if c <= 0 then error('a share of nothing') end
  if a * b <= MAX then
    local rest = math.fmod(a * b, c)
    return (a * b - rest) / c, rest
  end
  local bits = {}
  while b > 0 do
    local bit = math.fmod(b, 2)
    bits[#bits + 1] = bit
    b = (b - bit) / 2
  end
  local tail = math.fmod(a, c)
  local step = (a - tail) / c
  local result, rest = 0, 0
  local function add(times, more) -- both rests are below c, and so is what is left of their sum
    result = result + times
    if rest >= c - more then result, rest = result + 1, rest - (c - more) else rest = rest + more end
  end
  for i = #bits, 1, -1 do
    add(result, rest)
    if bits[i] == 1 then add(step, tail) end
    if result > MAX then error('a share that cannot be counted') end
  end
  return result, rest
end

local function up(a, b, c)
  local result, rest = portion(a, b, c)
  if rest > 0 then return result + 1 end
  return result
end

local function down_to(number, step) return number - math.fmod(number, step) end

-- What an entry needs is looked at before anything is written; `more` may be empty.
local function check_words(request, names, more)
  for _, name in ipairs(names) do word(request[name], name) end
  for _, name in ipairs(more) do
    if type(request[name]) ~= 'string' then error(name .. ' is missing') end
  end
end

local function check_type(key, kind)
  local found = redis.call('TYPE', key).ok
  if found ~= 'none' and found ~= kind then error('a key holds something that is not ours') end
end

-- Books ------------------------------------------------------------------------------------------

-- By authorization id its keys, version, bounds, accounts and tokens; and in the order of the request.
local books, order = {}, {}
local journal = {}  -- how to take back what was changed on the copies

local function change(of, field, value)
  journal[#journal + 1] = {of, field, of[field]}
  of[field] = value
end

local function take_back(mark)
  for i = #journal, mark + 1, -1 do
    local entry = journal[i]
    entry[1][entry[2]] = entry[3]
    journal[i] = nil
  end
end

-- Every script that moves units is told, before the keys of entries.lua, what was ever at rest: how its
-- pages begin, which are in the slot of the payer. Page and bit are at the end of a key.
local ARCHIVED = KEYS[#KEYS - 3]
-- Authorizations whose accounts are not here and may be at rest; whether one is drawn on for the first time.
local absent, has_new = {}, false

-- Takes accounts that are not here for new ones, if nobody can ever have drawn on them.
local function open_new(book)
  local page, bit = ARCHIVED .. ':' .. string.sub(book.key, -7, -5), string.sub(book.key, -4)
  if redis.call('GETBIT', page, math.floor(tonumber(bit, 16) / 4)) == 1 then
    absent[#absent + 1] = book.id
  else
    book.is_known = true
  end
end

-- `given` says whether it is known that nobody ever drew on them (`new`): where it does not say so a claim
-- holds something of them, or they are only looked at (`look`), and asked for when they are shown.
local function open_book(id, key, token_key, given)
  check_type(key, 'hash')
  check_type(token_key, 'hash')
  local known = redis.call('HMGET', key, 'v', 'n', 'st', 'sh')
  local book = {
    id = word(id, 'an authorization'), key = key, token_key = token_key,
    v = whole(known[1] or '0', 'a version'), n = whole(known[2] or '0', 'a sequence'),
    st = known[3] or 'open', sh = known[4] or nil, is_known = known[1] or given.new,
    bounds = {}, accounts = {}, tokens = {},
  }
  books[id] = book
  order[#order + 1] = book
  if known[1] or given.look then return book end
  if given.new == nil then
    absent[#absent + 1] = book.id
  else
    has_new = has_new or not given.seen
    if not given.new then open_new(book) end
  end
  return book
end

-- Of each measure what is used and reserved; and what is used more, or less, than claims say: by hand.
local FIELDS, CORRECTED = {'uu', 'ur', 'mu', 'mr', 'du', 'dr'}, {'uc', 'mc', 'dc'}

local function account(book, name)
  local found = book.accounts[name]
  if found then return found end
  local fields = {}
  for i, field in ipairs(FIELDS) do fields[i] = name .. '.' .. field end
  for i, field in ipairs(CORRECTED) do fields[#FIELDS + i] = name .. '.' .. field end
  local values = redis.call('HMGET', book.key, unpack(fields))
  found = {was = {}}
  for i, field in ipairs(FIELDS) do
    found[field] = whole(values[i] or '0', 'a balance')
    found.was[field] = values[i] and found[field] or -1
  end
  for i, field in ipairs(CORRECTED) do
    found[field] = signed(values[#FIELDS + i] or '0', 'a correction')
    found.was[field] = found[field]
  end
  book.accounts[name] = found
  return found
end

local function token(book, field)
  local found = book.tokens[field]
  if found then return found end
  local value = redis.call('HGET', book.token_key, field)
  found = {u = 0, r = 0, was = value or ''}
  if value then
    local used, reserved = string.match(value, '^(%d+):(%d+)$')
    found.u, found.r = whole(used, 'a count'), whole(reserved, 'a count')
  end
  book.tokens[field] = found
  return found
end

local function base_of(name)
  return string.match(name, '^([^@~]*[@~])') or name
end

local function split(list)
  local items = {}
  for item in string.gmatch(list or '', '[^,]+') do items[#items + 1] = item end
  return items
end

-- Adds to a balance, or takes from it; `state` is u for used, r for reserved.
local function move(balance, measure, state, by)
  local field = measure .. state
  local value = balance[field] + by
  if value < 0 then error('a balance would fall below zero') end
  if value > MAX then error('a balance would be too large to be counted') end
  change(balance, field, value)
end

-- A token costs one unit while somebody holds it: used if anybody uses it, else reserved.
local function hold(book, name, measure, item, state, by)
  local balance = account(book, name)
  local held = token(book, name .. '|' .. measure .. '|' .. item)
  local was = held.u > 0 and 'u' or (held.r > 0 and 'r' or nil)
  if held[state] + by < 0 then error('a shared visit or day would be held less than never') end
  change(held, state, held[state] + by)
  local is = held.u > 0 and 'u' or (held.r > 0 and 'r' or nil)
  if was ~= is then
    if was then move(balance, measure, was, -SCALE) end
    if is then move(balance, measure, is, SCALE) end
  end
end

-- An empty list would be written as an object.
local function encode_list(list)
  if #list == 0 then return '[]' end
  return cjson.encode(list)
end

-- Versions ---------------------------------------------------------------------------------------

local LIMITS = {u = 'ul', m = 'ml', d = 'dl', k = 'k'}

local function bounds_text(bounds, name)
  if bounds[name] == nil or bounds[name] == cjson.null then return nil end
  if name == 'k' then return bounds[name] end
  return text(whole(bounds[name], 'a limit'))
end

-- Takes the limits of the version that was matched; gives what it changed.
local function take_bounds(book, given)
  local changed
  for base, bounds in pairs(given) do
    local fields, names = {}, {'u', 'm', 'd', 'k'}
    for i, name in ipairs(names) do fields[i] = base .. '.' .. LIMITS[name] end
    local stored = redis.call('HMGET', book.key, unpack(fields))
    local taken, differs = {}, false
    for i, name in ipairs(names) do
      taken[name] = bounds_text(bounds, name)
      if (stored[i] or nil) ~= taken[name] then differs = true end
    end
    book.bounds[base] = {
      u = taken.u and tonumber(taken.u), m = taken.m and tonumber(taken.m),
      d = taken.d and tonumber(taken.d),
    }
    if differs then
      changed = changed or {}
      changed[base] = taken
    end
  end
  return changed
end

-- Takes version, shape and limits of what was pushed; gives it as an entry has it, or nothing where all
-- of it is in force already.
local function take_version(book, given)
  local version, changed = whole(given.v, 'a version'), take_bounds(book, given.b)
  if book.v ~= version or book.st ~= 'open' or book.sh ~= given.sh then changed = changed or {} end
  book.v, book.st, book.amended = version, 'open', changed
  book.sh, book.ln, book.gh = word(given.sh, 'a shape'), given.ln, given.gh
  book.ut = given.ut
  if not changed then return nil end
  local list = {}
  for base, bounds in pairs(changed) do
    list[#list + 1] = {base, bounds.u or '', bounds.m or '', bounds.d or '', bounds.k or ''}
  end
  return {
    a = given.id, v = text(version), b = encode_list(list), sh = book.sh, ln = book.ln, gh = book.gh,
    ut = book.ut,
  }
end

-- Rows -------------------------------------------------------------------------------------------
-- A row is what one part of a claim line drew from one authorization; its debits are
-- {account, units, amount, days, numerator, denominator, unit tokens, day tokens}.

-- What is used of a measure, as corrected. While a claim is drawn anew less may be used for a moment
-- than was taken off.
local function used_of(balance, measure)
  return math.max(0, balance[measure .. 'u'] + balance[measure .. 'c'])
end

local function snapshot(balance)
  local values = {}
  for _, measure in ipairs(MEASURES) do
    values[#values + 1] = text(used_of(balance, measure))
    values[#values + 1] = text(balance[measure .. 'r'])
  end
  return values
end

-- Writes a row's debits on the copies (sign 1) or takes them off (sign -1); gives what moved.
local function post(row, state, sign)
  local book = books[row.a]
  if not book then error('a row of an authorization that was not named') end
  local moved = {}
  for i, debit in ipairs(row.d) do
    local name = word(debit[1], 'an account')
    local balance = account(book, name)
    local before = snapshot(balance)
    local units, days = split(debit[7]), split(debit[8])
    for _, item in ipairs(units) do hold(book, name, 'u', item, state, sign) end
    for _, item in ipairs(days) do hold(book, name, 'd', item, state, sign) end
    if #units == 0 then move(balance, 'u', state, sign * whole(debit[2], 'units')) end
    move(balance, 'm', state, sign * whole(debit[3], 'an amount'))
    moved[i] = {n = name, b = before, f = snapshot(balance)}
  end
  return moved
end

local function decode_rows(stored)
  local rows = cjson.decode(stored ~= '' and stored or '[]')
  for _, row in ipairs(rows) do
    if type(row) ~= 'table' or type(row.d) ~= 'table' then error('a row is not well formed') end
  end
  return rows
end

local function names_of(set)
  local names = {}
  for name in pairs(set) do names[#names + 1] = name end
  table.sort(names)
  return names
end

-- Claims -----------------------------------------------------------------------------------------

local function open_claim(key)
  check_type(key, 'hash')
  local known = redis.call('HMGET', key, 'n', 'v', 's', 'mv')
  return {
    key = key, v = known[2], n = whole(known[1] or '0', 'a sequence'), s = known[3] or 'none',
    rows = decode_rows(known[4] or '[]'),
  }
end

local STATES = {used = 'u', reserved = 'r'}

-- Takes all rows of a claim off the books.
local function undo(claim)
  local state = STATES[claim.s]
  local undone = {}
  if state then
    for i, row in ipairs(claim.rows) do
      undone[i] = {row = row, moved = post(row, state, -1)}
    end
  end
  return undone
end

-- No account may hold more of a measure than it did before.
local function check_growth()
  for _, book in ipairs(order) do
    for _, balance in pairs(book.accounts) do
      for _, measure in ipairs(MEASURES) do
        local was = math.max(balance.was[measure .. 'u'], 0) + math.max(balance.was[measure .. 'r'], 0)
        if balance[measure .. 'u'] + balance[measure .. 'r'] > was then
          error('a change that would take more than the claim holds')
        end
      end
    end
  end
end

-- A correction that took use off lapses with the use that it took off: else others could be granted it.
local function lapse(book)
  for _, balance in pairs(book.accounts) do
    for _, measure in ipairs(MEASURES) do
      local least = -balance[measure .. 'u']
      if balance[measure .. 'c'] < least then balance[measure .. 'c'] = least end
    end
  end
end

-- Writing ----------------------------------------------------------------------------------------

local function is_changed(book)
  if book.amended then return true end
  for _, balance in pairs(book.accounts) do
    for _, field in ipairs(FIELDS) do
      if balance[field] ~= math.max(balance.was[field], 0) then return true end
    end
    for _, field in ipairs(CORRECTED) do
      if balance[field] ~= balance.was[field] then return true end
    end
  end
  for _, held in pairs(book.tokens) do
    if (held.u + held.r > 0 and held.u .. ':' .. held.r or '') ~= held.was then return true end
  end
  return false
end

local function write_bounds(book, base, bounds)
  for name, field in pairs(LIMITS) do
    if bounds[name] ~= nil then
      redis.call('HSET', book.key, base .. '.' .. field, bounds[name])
    else
      redis.call('HDEL', book.key, base .. '.' .. field)
    end
  end
end

local FIELDS_AT_ONCE = 1000 -- Lua cannot hand over any number of arguments

local function write_fields(key, fields)
  for first = 1, #fields, FIELDS_AT_ONCE do
    redis.call('HSET', key, unpack(fields, first, math.min(first + FIELDS_AT_ONCE - 1, #fields)))
  end
end

local SHAPE = {'sh', 'ln', 'gh', 'ut'} -- how its lines count; they, those that are gone, and untold
-- The fields of a book that changed, one after the other with their values.
local function changed_fields(book)
  local fields = {'id', book.id, 'v', text(book.v), 'n', text(book.n + 1), 'st', book.st}
  local function add(name, field, value)
    fields[#fields + 1], fields[#fields + 2] = name .. '.' .. field, text(value)
  end
  for name, balance in pairs(book.accounts) do
    for _, field in ipairs(FIELDS) do
      local was, is = balance.was[field], balance[field]
      if is ~= was and (is > 0 or was > 0) then add(name, field, is) end
    end
    for _, field in ipairs(CORRECTED) do
      if balance[field] ~= balance.was[field] then add(name, field, balance[field]) end
    end
  end
  for _, name in ipairs(book.amended and SHAPE or {}) do
    if book[name] then fields[#fields + 1], fields[#fields + 2] = name, book[name] end
  end
  return fields
end

-- Writes what changed of all books; gives the new sequence number of each authorization.
local function write_books()
  local sequence = {}
  for _, book in ipairs(order) do
    lapse(book)
    if is_changed(book) then
      sequence[#sequence + 1] = {book.id, text(book.n + 1)}
      write_fields(book.key, changed_fields(book))
      for base, bounds in pairs(book.amended or {}) do write_bounds(book, base, bounds) end
      for field, held in pairs(book.tokens) do
        if held.u + held.r > 0 then
          redis.call('HSET', book.token_key, field, text(held.u) .. ':' .. text(held.r))
        elseif held.was ~= '' then
          redis.call('HDEL', book.token_key, field)
        end
      end
    end
  end
  return sequence
end

-- Units that came back are offered to other claims of the member that wait: the authorizations are
-- noted as if they had arrived (see late_note.lua). `late` has how soon, in milliseconds, and the most
-- ids; without it nothing is noted.
local function note_freed(late, owner, claim_id, waiting, due, arrived, stamp)
  local freed = {}
  for _, book in ipairs(order) do
    local is_less = false
    for _, balance in pairs(book.accounts) do
      for _, measure in ipairs(MEASURES) do
        local was = math.max(balance.was[measure .. 'u'], 0) + balance.was[measure .. 'c']
        was = math.max(was, 0) + math.max(balance.was[measure .. 'r'], 0)
        is_less = is_less or used_of(balance, measure) + balance[measure .. 'r'] < was
      end
    end
    -- Counters that go back are no units that anybody waits for.
    if is_less and string.sub(book.id, 1, 8) ~= 'counted/' then freed[#freed + 1] = book.id end
  end
  if #freed == 0 or not late then return end
  local others = redis.call('ZCARD', waiting)
  if redis.call('ZSCORE', waiting, claim_id) then others = others - 1 end
  if others < 1 then return end
  for _, id in ipairs(freed) do redis.call('HSET', arrived, id, stamp) end
  if redis.call('HLEN', arrived) > late.most then
    redis.call('DEL', arrived)
    redis.call('HSET', arrived, '*', stamp)
  end
  local now = redis.call('TIME')
  redis.call('ZADD', due, text(now[1] * 1000 + math.floor(now[2] / 1000) + late.soon), owner)
end
