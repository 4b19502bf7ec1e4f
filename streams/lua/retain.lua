-- Applies the retention limits to a room, even if nothing is appended to it. Needs lib.lua, reactions.lua
-- and trim.lua.
--
-- KEYS  1 room  2 meta  3 amended  4 erased  5 runs  6 erased_edits  7 rooms
-- ARGV  1 how many entries to keep, or 0 for all  2 how long to keep them in ms, or 0 forever
--       3 room's name
-- Reply the ID of the last removed entry, or nil if none was removed

local through = trim(KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6],
  redis.call('XLEN', KEYS[1]), tonumber(ARGV[1]), oldest(tonumber(ARGV[2])))
if redis.call('XLEN', KEYS[1]) == 0 then redis.call('ZREM', KEYS[7], ARGV[3]) end -- until the next append
return through
