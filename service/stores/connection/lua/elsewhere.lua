-- What a claim holds of an authorization that went to another member is counted in the bucket of that
-- member. The claim is changed here first, in one step with a note of what it owes there; the note is
-- served by give_back.lua, as often as it takes, and then dropped by confirm.lua.

local function is_same(one, other)
  if type(one) ~= 'table' or type(other) ~= 'table' then return one == other end
  for name, value in pairs(one) do
    if not is_same(value, other[name]) then return false end
  end
  for name in pairs(other) do
    if one[name] == nil then return false end
  end
  return true
end

-- What rows hold of each account, used and reserved together; of a token, whether they hold it.
local function tally(rows)
  local sums = {}
  local function add(name, number) sums[name] = (sums[name] or 0) + number end
  for _, row in ipairs(rows) do
    for _, debit in ipairs(row.d) do
      local units = split(debit[7])
      for _, item in ipairs(units) do sums[debit[1] .. '|u|' .. item] = 1 end
      for _, item in ipairs(split(debit[8])) do sums[debit[1] .. '|d|' .. item] = 1 end
      if #units == 0 then add(debit[1] .. '.u', whole(debit[2], 'units')) end
      add(debit[1] .. '.m', whole(debit[3], 'an amount'))
    end
  end
  return sums
end

local function check_no_more(before, after)
  local had = tally(before)
  for name, number in pairs(tally(after)) do
    if number > (had[name] or 0) then error('a change that would take more than the claim holds') end
  end
end

-- By authorization that went away: the rows that a claim had of it and has now, and as what. Gives
-- nothing where none changed.
local function owed_of(undone, redone, was, is, request)
  local owed, known = {}, {}
  local function take(list, place)
    for _, each in ipairs(list) do
      local book = books[each.row.a]
      if book.st == 'moved' then
        local entry = known[book.id]
        if not entry then
          entry = {book = book, before = {}, after = {}}
          known[book.id], owed[#owed + 1] = entry, entry
        end
        entry[place][#entry[place] + 1] = each.row
      end
    end
  end
  take(undone, 'before')
  take(redone, 'after')
  local list = {}
  for _, each in ipairs(owed) do
    check_no_more(each.before, each.after)
    if was ~= is or not is_same(each.before, each.after) then
      list[#list + 1] = {
        a = each.book.id, to = word(each.book.to, 'where it went'), g = word(each.book.g, 'a grain'),
        os = was, o = encode_list(each.before), s = is, r = encode_list(each.after),
        at = request.at, by = request.by or '', why = request.why or '',
      }
    end
  end
  return #list > 0 and cjson.encode(list) or nil
end

-- Adds what is owed to the fields of an entry and to the claim, under its number from now on.
local function write_owed(entry, name, key, number, owed)
  if not owed then return end
  entry[#entry + 1], entry[#entry + 2] = name, owed
  redis.call('HSET', key, 'ow:' .. text(number), owed)
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

local function read_hash(key)
  local stored, fields = redis.call('HGETALL', key), {}
  for i = 1, #stored, 2 do fields[stored[i]] = stored[i + 1] end
  return fields
end

local function pairs_of(fields)
  local list = {}
  for field, value in pairs(fields) do list[#list + 1] = {field, value} end
  table.sort(list, function(a, b) return a[1] < b[1] end)
  return list
end

-- An authorization goes with each version that names another member, and with each merge of its
-- member: an earlier step of either that comes late does nothing.
local function moves_of(fields) return whole(fields.mo or '0', 'a count of moves') end

local function is_overtaken(fields, version, moves)
  local known = whole(fields.v or '0', 'a version')
  return known > version or (known == version and moves_of(fields) > moves)
end
