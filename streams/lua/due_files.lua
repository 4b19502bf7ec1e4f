-- Returns the IDs of files that are due to be checked for references. Needs lib.lua.
--
-- KEYS  1 files
-- ARGV  1 maximum number of IDs
-- Reply {ID, ...}, in the order in which they became due

return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', clock()), 'LIMIT', 0, ARGV[1])
