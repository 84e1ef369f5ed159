-- Puts pushes into the outbox of a payer: all of them or, where there is no room, none.
-- KEYS: queue, bytes, sequence; then of each push its entry, what became of it, its owner's queue.
-- ARGV: the most bytes; then of each push ticket, version, size, kind, authorization, owner, time,
-- content, by whom, on behalf of whom. Gives 1, or 0 where it is full.

local MAX = tonumber(ARGV[1])
local HEAD, KEYS_EACH, EACH = 3, 3, 10

local function check_type(key, wanted)
  local found = redis.call('TYPE', key).ok
  if found ~= 'none' and found ~= wanted then error('an alien value stands in the outbox') end
end

check_type(KEYS[1], 'zset')
check_type(KEYS[2], 'string')
check_type(KEYS[3], 'string')
local count = (#ARGV - 1) / EACH
local new, sizes, seen = {}, 0, {}
for number = 0, count - 1 do
  local key, place = HEAD + number * KEYS_EACH, 1 + number * EACH
  check_type(KEYS[key + 1], 'hash')
  check_type(KEYS[key + 3], 'zset')
  -- What waits already is not put again, nor what comes twice in one call.
  if not seen[KEYS[key + 1]] and redis.call('EXISTS', KEYS[key + 1]) == 0 then
    seen[KEYS[key + 1]] = true
    new[#new + 1] = {key, place}
    sizes = sizes + tonumber(ARGV[place + 3])
  end
end
if #new == 0 then return 1 end
if tonumber(redis.call('GET', KEYS[2]) or '0') + sizes > MAX then return 0 end

for _, each in ipairs(new) do
  local key, place = each[1], each[2]
  local ticket, version, size = ARGV[place + 1], ARGV[place + 2], ARGV[place + 3]
  -- Equal versions are delivered as they came: names of one score are in the order of the alphabet.
  local name = string.format('%016d:%s:%s', redis.call('INCR', KEYS[3]), size, ticket)
  redis.call('HSET', KEYS[key + 1], 'place', name, 'size', size, 'version', version,
    'kind', ARGV[place + 4], 'id', ARGV[place + 5], 'owner', ARGV[place + 6],
    'since', ARGV[place + 7], 'content', ARGV[place + 8],
    'by', ARGV[place + 9], 'on_behalf_of', ARGV[place + 10])
  redis.call('DEL', KEYS[key + 2])
  redis.call('ZADD', KEYS[1], version, name)
  redis.call('ZADD', KEYS[key + 3], version, name)
end
redis.call('INCRBY', KEYS[2], sizes)
return 1
