-- How a script that moves units writes what it did: an entry of the ledger and a row of the trail.

-- KEYS end with the epoch, the stream of the trail and its head, and ARGV with the epoch that is
-- known, the row of what is moved and its signature; both of these are empty where the row is written
-- by whoever asked for more than this.
local EPOCH, TRAIL, TRAIL_HEAD = KEYS[#KEYS - 2], KEYS[#KEYS - 1], KEYS[#KEYS]
local has_row, appended = ARGV[#ARGV] ~= '', nil

-- Whether this is the book that is known, on the server on which it was found whole.
local function is_whole()
  check_type(EPOCH, 'hash')
  local known = redis.call('HMGET', EPOCH, 'e', 'i')
  return known[1] == word(ARGV[#ARGV - 2], 'the epoch') and known[2] == server()
end

-- Nothing is written where the row could not be; tells whether it is known how far the trail goes.
local function is_trail_ready()
  check_type(TRAIL, 'stream')
  check_type(TRAIL_HEAD, 'hash')
  local known = redis.call('HMGET', TRAIL_HEAD, 'n', 'h')
  if not known[1] then return false end
  whole(known[1], 'the number of a row')
  word(known[2], 'the link of a row')
  return true
end

-- Writes an entry of the ledger, and with it the row of the trail; gives the id of the entry.
local function enter(ledger, ...)
  local id = redis.call('XADD', ledger, '*', ...)
  if has_row then appended = append_row(TRAIL, TRAIL_HEAD, ARGV[#ARGV - 1], ARGV[#ARGV]) end
  return id
end

-- Runs the whole of a script; a refusal is an answer of its own, and nothing was written. What Redis
-- itself refuses (no memory, no disk) keeps its own word: it begins the text, but for a place and a dash
-- before Redis 7. What is refused here begins with the name of the script.
local function run(main)
  local done, result = pcall(function()
    if not is_whole() then return cjson.encode({s = 'apart'}) end
    if has_row and not is_trail_ready() then return cjson.encode({s = 'unled'}) end
    local answer = main()
    answer.tr = appended
    return cjson.encode(answer)
  end)
  if done then return result end
  local told = type(result) == 'table' and result.err or result
  local reason = string.match(told, '^%u+ .*') or string.match(told, ': %-(%u+ .*)$')
  return redis.error_reply(reason or 'REFUSED ' .. told)
end
