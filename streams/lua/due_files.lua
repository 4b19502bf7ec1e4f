-- Returns the IDs of files at which the removal of unreferenced files should look now. Needs lib.lua.
--
-- KEYS  1 files
-- ARGV  1 how many IDs to return at most
-- Reply {ID, ...}, those that are due longest first

return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', clock()), 'LIMIT', 0, ARGV[1])
