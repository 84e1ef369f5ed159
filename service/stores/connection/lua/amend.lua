-- Takes the limits of a pushed version; what was used stays. Accounts that nobody ever used are not
-- made: they come into being with their first use.
-- KEYS: accounts of the authorization, the ledger. ARGV: the request as JSON.

local fields, sets, drops = {}, {}, {}

local function set(field, value)
  if value ~= nil and fields[field] ~= value then sets[#sets + 1] = {field, value} end
  if value == nil and fields[field] ~= nil then drops[#drops + 1] = field end
end

-- Gives the bases that have limits.
local function set_limits(given)
  local bounds = {}
  for _, limits in ipairs(given) do
    local base = word(limits[1], 'a base')
    bounds[base] = true
    for i, field in ipairs({'ul', 'ml', 'dl', 'k'}) do
      local value = limits[i + 1]
      if value == cjson.null or value == '' then value = nil end
      if value ~= nil and field ~= 'k' then value = text(whole(value, 'a limit')) end
      set(base .. '.' .. field, value)
    end
  end
  return bounds
end

-- A line that is gone keeps its balance and has an end.
local function set_ends(bounds, day)
  local lines = {}
  for field in pairs(fields) do
    local line = string.match(field, '^(L%d+)')
    if line then lines[line] = true end
  end
  for line in pairs(lines) do
    local stands = bounds[line] or bounds[line .. '@'] or bounds[line .. '~']
    local ended = fields[line .. '.end']
    if stands then set(line .. '.end', nil) elseif not ended then set(line .. '.end', day) end
  end
end

return run(function()
  local request = cjson.decode(ARGV[1])
  check_type(KEYS[1], 'hash')
  check_type(KEYS[2], 'stream')
  check_words(request, {'id', 'st', 'at', 'day', 'sh'}, {'by', 'obo', 'why', 'ln'})
  local stored = redis.call('HGETALL', KEYS[1])
  if #stored == 0 then return {s = 'none'} end
  for i = 1, #stored, 2 do fields[stored[i]] = stored[i + 1] end
  local version = whole(request.v, 'a version')
  if whole(fields.v, 'a version') > version then return {s = 'older'} end
  if fields.sh ~= request.sh then return {s = 'recount'} end

  set_ends(set_limits(request.b), request.day)
  set('v', text(version))
  set('ln', request.ln)
  set('st', word(request.st, 'a state'))
  if #sets + #drops == 0 then return {s = 'same'} end

  local number = text(whole(fields.n or '0', 'a sequence') + 1)
  sets[#sets + 1] = {'n', number}
  table.sort(sets, function(a, b) return a[1] < b[1] end)
  table.sort(drops)
  for _, pair in ipairs(sets) do redis.call('HSET', KEYS[1], pair[1], pair[2]) end
  for _, field in ipairs(drops) do redis.call('HDEL', KEYS[1], field) end
  local entry = enter(KEYS[2], 'k', 'amend', 'a', word(request.id, 'an id'),
    'v', text(version), 'at', request.at, 'by', request.by or '', 'obo', request.obo or '',
    'why', request.why or '',
    'set', encode_list(sets), 'del', encode_list(drops), 'q', encode_list({{request.id, number}}))
  return {s = 'ok', e = entry}
end)
