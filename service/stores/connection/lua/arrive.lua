-- Takes in the balances of an authorization that left other buckets, each of them once: what was
-- frozen there has a name, a grain, and is here, or part of something that is, as a field `from:`.
-- KEYS: accounts and tokens of the authorization, the ledger.
-- ARGV: the request as JSON, what leave.lua gave of each bucket as JSON.

local FIXED = {id = true, n = true, v = true, mo = true, st = true, to = true, g = true}
local BALANCES = {}
for _, field in ipairs(FIELDS) do BALANCES[field] = true end

local function counts(held)
  local used, reserved = string.match(held, '^(%d+):(%d+)$')
  return whole(used, 'a count'), whole(reserved, 'a count')
end

local function add(fields, field, number)
  local sum = whole(fields[field] or '0', 'a balance') + number
  if sum < 0 or sum > MAX then error('a balance that cannot be counted') end
  fields[field] = text(sum)
end

local function merge_fields(fields, given)
  for _, pair in ipairs(given) do
    local field, value = word(pair[1], 'a field'), word(pair[2], 'a value')
    local head = string.sub(field, 1, 5)
    if head == 'from:' then
      fields[field] = '1'
    elseif head == 'back:' then
      local known = whole(fields[field] or '0', 'a sequence')
      fields[field] = text(math.max(known, whole(value, 'a sequence')))
    elseif BALANCES[string.match(field, '%.(%a+)$')] then
      add(fields, field, whole(value, 'a balance'))
    elseif not FIXED[field] and fields[field] == nil then
      fields[field] = value
    end
  end
end

-- A token is held by all who held it, and costs one unit: what it cost on either side goes.
local function merge_tokens(fields, tokens, given)
  local function cost(token, used, reserved, number)
    local name, measure = string.match(token, '^([^|]+)|([ud])|')
    local state = used > 0 and 'u' or (reserved > 0 and 'r' or nil)
    if state then add(fields, name .. '.' .. measure .. state, number) end
  end
  for _, pair in ipairs(given) do
    local token = word(pair[1], 'a token')
    local used, reserved = counts(pair[2])
    if tokens[token] then
      local own_used, own_reserved = counts(tokens[token])
      cost(token, used, reserved, -SCALE)
      cost(token, own_used, own_reserved, -SCALE)
      used, reserved = used + own_used, reserved + own_reserved
      cost(token, used, reserved, SCALE)
    end
    tokens[token] = text(used) .. ':' .. text(reserved)
  end
end

-- The grains that are part of what is here or of what is given.
local function inside(fields, given)
  local found = {}
  local function take(field)
    local grain = string.match(field, '^from:(.+)$')
    if grain then found[grain] = true end
  end
  for field in pairs(fields) do take(field) end
  for _, each in ipairs(given) do
    for _, pair in ipairs(each.f) do take(pair[1]) end
  end
  return found
end

local function write_hash(key, was, is)
  for field, value in pairs(is) do
    if was[field] ~= value then redis.call('HSET', key, field, value) end
  end
  for field in pairs(was) do
    if is[field] == nil then redis.call('HDEL', key, field) end
  end
end

return run(function()
  local request, given = cjson.decode(ARGV[1]), cjson.decode(ARGV[2])
  check_type(KEYS[1], 'hash')
  check_type(KEYS[2], 'hash')
  check_type(KEYS[3], 'stream')
  check_words(request, {'a', 'at'}, {'by', 'why'})
  local version, moves = whole(request.v, 'a version'), whole(request.mo or 0, 'a count of moves')
  local own, own_tokens = read_hash(KEYS[1]), read_hash(KEYS[2])
  if is_overtaken(own, version, moves) then return cjson.encode({s = 'older'}) end

  local known, taken = inside(own, given), {}
  for _, each in ipairs(given) do
    if not known[word(each.g, 'a grain')] then taken[#taken + 1] = each end
  end
  local has_left = own.st == 'moved'
  if not has_left and #taken == 0 then return cjson.encode({s = 'same'}) end
  -- What left here long ago and comes back with the rest is replaced by it.
  local fields, tokens = {}, {}
  if not (has_left and known[word(own.g, 'a grain')]) then
    for field, value in pairs(own) do fields[field] = value end
    for token, value in pairs(own_tokens) do tokens[token] = value end
  end
  for _, each in ipairs(taken) do
    merge_fields(fields, each.f)
    merge_tokens(fields, tokens, each.t)
    fields['from:' .. each.g] = '1'
  end
  if has_left then fields['from:' .. own.g] = '1' end
  local number = text(whole(own.n or '0', 'a sequence') + 1)
  fields.id, fields.n, fields.v, fields.st = request.a, number, text(version), 'open'
  fields.to, fields.g, fields.mo = nil, nil, moves > 0 and text(moves) or nil
  write_hash(KEYS[1], own, fields)
  write_hash(KEYS[2], own_tokens, tokens)
  local entry = redis.call('XADD', KEYS[3], '*', 'k', 'arrive', 'a', request.a,
    'v', text(version), 'at', request.at, 'by', request.by, 'why', request.why,
    'mo', moves > 0 and text(moves) or '', 'in', ARGV[2], 'q', encode_list({{request.a, number}}))
  return cjson.encode({s = 'ok', e = entry})
end)
