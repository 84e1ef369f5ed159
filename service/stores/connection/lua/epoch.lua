-- The epoch of a book: the mark that tells it from one that Redis lost, or of which it has an older
-- state. Beside it stands the server on which the book was last found whole: one that was started
-- again, or took over, is another one.

-- What is written goes to the append-only file, not the script: it asks who runs it.
if redis.replicate_commands then redis.replicate_commands() end

local function server()
  return string.match(redis.call('INFO', 'server'), 'run_id:(%x+)') or ''
end
