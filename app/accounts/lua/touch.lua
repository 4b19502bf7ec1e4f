-- Records that a session was used. Needs lib.lua, which documents KEYS 1 to 9 and ARGV 1.
--
-- ARGV  2 session  3 the day, in days since 1970  4 its new expiry in Unix seconds, or 0
-- Reply ok, or signed_out
--
-- Neither the day nor the expiry moves back.

local record = redis.call('HGET', sessions, ARGV[2])
if not record then return {'signed_out'} end
local session = cjson.decode(record)
session.used = math.max(session.used, tonumber(ARGV[3]))
session.expiry = math.max(session.expiry, tonumber(ARGV[4]))
redis.call('HSET', sessions, ARGV[2], cjson.encode(session))
return {'ok'}
