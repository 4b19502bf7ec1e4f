-- Reads the state of a person and of some of their sessions.
--
-- KEYS  as in lib.lua
-- ARGV  1 user ID  2, 3, ... sessions
-- Reply the ID of the last change in the access stream, '1' if the user is banned or '0', the name and
--       the role or '', and for each session its record or ''

local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
local fields = redis.call('HMGET', KEYS[6], 'name', 'role')
local reply = {
  last[1] and last[1][1] or '0-0', tostring(redis.call('HEXISTS', KEYS[4], ARGV[1])),
  fields[1] or '', fields[2] or '',
}
for i = 2, #ARGV do table.insert(reply, redis.call('HGET', KEYS[7], ARGV[i]) or '') end
return reply
