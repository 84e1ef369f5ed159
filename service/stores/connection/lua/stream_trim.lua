-- Trims a stream, unless somebody who compares both engines holds it: then it is trimmed later.
-- KEYS: the stream, the hold. ARGV: the least id that stays.

if redis.call('EXISTS', KEYS[2]) == 0 then redis.call('XTRIM', KEYS[1], 'MINID', ARGV[1]) end
return 1
