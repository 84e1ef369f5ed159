-- Appends rows to the audit trail of a payer.
-- KEYS: the stream, the head. ARGV: of each row its text and its signature.
-- Gives number and link of the last row; nothing where it is not known how far the trail goes.

if redis.replicate_commands then redis.replicate_commands() end
if redis.call('EXISTS', KEYS[2]) == 0 then return false end
local last
for i = 1, #ARGV, 2 do last = append_row(KEYS[1], KEYS[2], ARGV[i], ARGV[i + 1]) end
return last
