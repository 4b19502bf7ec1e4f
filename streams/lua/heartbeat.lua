-- Records that a server is alive. It uses Redis's clock, because the servers' clocks may differ.
-- Needs lib.lua.
--
-- KEYS  1 servers
-- ARGV  1 server  2 how long the server counts as alive, in ms
-- Reply 1 if the server was not listed before, else 0

return redis.call('ZADD', KEYS[1], string.format('%.0f', clock() + ARGV[2]), ARGV[1])
