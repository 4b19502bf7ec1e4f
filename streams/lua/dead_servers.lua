-- Returns servers whose last heartbeat has expired, by Redis's clock. Needs lib.lua.
--
-- KEYS  1 servers
-- Reply up to 10 server names

return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', clock()), 'LIMIT', 0, 10)
