-- Says how far the audit trail of a payer goes, where Redis does not know.
-- KEYS: the head. ARGV: the number and the link of the last row.

if redis.call('EXISTS', KEYS[1]) == 0 then redis.call('HSET', KEYS[1], 'n', ARGV[1], 'h', ARGV[2]) end
return 1
