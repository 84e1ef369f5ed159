-- Tells of each member whether a push waits in the outbox, and the mark, at one moment: a delivery
-- marks the member before it takes the push out.
-- KEYS: the queue of unknown members, then of each member its queue and its mark.

local unknown, told = redis.call('EXISTS', KEYS[1]), {}
for i = 2, #KEYS, 2 do
  told[i - 1] = math.max(unknown, redis.call('EXISTS', KEYS[i]))
  told[i] = redis.call('GET', KEYS[i + 1])
end
return told
