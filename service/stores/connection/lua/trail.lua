-- The audit trail of a payer: rows in a stream, each with its number and the link to the row before.
-- The links go over signatures, which nobody can make who only has Redis (service/access/chain.py).

-- Gives the number and the link of the row.
local function append_row(stream, head, row, signature)
  local known = redis.call('HMGET', head, 'n', 'h')
  local number = string.format('%.0f', tonumber(known[1]) + 1)
  local link = redis.sha1hex(known[2] .. signature)
  redis.call('XADD', stream, '*', 'n', number, 'h', link, 'm', signature, 'r', row)
  redis.call('HSET', head, 'n', number, 'h', link)
  return {number, link}
end
