-- Charges: what is attached in the name of one is held like a claim, until a claim takes its place.

-- The charges that a claim names, whose keys follow the first so many; tells whether any moved since in
-- a way that matters: what it holds, or to whom it was attached. That more claims billed it does not.
local function open_charges(given, before, owner)
  local charges, is_moved = {}, false
  for i, each in ipairs(given) do
    local charge = open_claim(KEYS[before + i])
    local seen, more = whole(each.n, 'a sequence'), redis.call('HMGET', charge.key, 'bb', 'm')
    charge.id, charge.by, charges[i] = each.c, more[1] or '', charge
    local is_others = charge.v ~= '0' and more[2] ~= owner
    if charge.n ~= seen and (charge.n < seen or #charge.rows > 0 or is_others) then
      is_moved = true
    end
  end
  return charges, is_moved
end

-- A claim takes the place of these charges: gives what they had, and of each its id, count, claims, and
-- how many rows are its own. It counts also where the claim billed it before and holds nothing by now:
-- who attaches it meanwhile sees that.
local function bill(charges, claim_id)
  local given_back, billed = {}, {}
  for _, charge in ipairs(charges) do
    local undone, others = undo(charge), '|' .. charge.by .. '|'
    for _, each in ipairs(undone) do given_back[#given_back + 1] = each end
    local is_known = string.find(others, '|' .. claim_id .. '|', 1, true)
    local by = is_known and charge.by or string.match(others .. claim_id, '^|+(.*)$')
    billed[#billed + 1] = {charge.id, text(charge.n + 1), by, text(#undone)}
  end
  return given_back, billed
end

-- Charges that a claim took the place of hold nothing any more; one that was never attached is known now.
local function write_billed(charges, billed, owner)
  local keys = {}
  for _, charge in ipairs(charges) do keys[charge.id] = charge end
  for _, each in ipairs(billed) do
    local charge = keys[each[1]]
    if charge.n == 0 then redis.call('HSET', charge.key, 'id', charge.id, 'm', owner, 'v', '0') end
    redis.call('HSET', charge.key, 'n', each[2], 's', 'billed', 'mv', '[]', 'bb', each[3])
  end
end
