-- Records that a server is alive, by Redis' clock, since the clocks of two servers may differ.
-- Needs lib.lua.
--
-- KEYS  1 servers
-- ARGV  1 server  2 for how long it counts as alive, in ms
-- Reply 1 if the server was not known, else 0

return redis.call('ZADD', KEYS[1], string.format('%.0f', clock() + ARGV[2]), ARGV[1])
