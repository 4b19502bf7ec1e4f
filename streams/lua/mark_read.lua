-- Moves a user's read marker in a room forward, never back. Needs lib.lua.
--
-- KEYS  1 the user's read markers
-- ARGV  1 room's name  2 the entry ID to which to move the marker
-- Reply 1 if the marker moved, else 0

local old = redis.call('HGET', KEYS[1], ARGV[1])
if old and not before(old, ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1
