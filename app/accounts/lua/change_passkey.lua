-- Replaces the record of a passkey. Needs lib.lua, which documents KEYS 1 to 9 and ARGV 1.
--
-- ARGV  2 a session of the person  3 passkey  4 the expected record  5 the new record
-- Reply ok, signed_out, unknown, or exists if the record is neither

if is_banned() or redis.call('HEXISTS', sessions, ARGV[2]) == 0 then return {'signed_out'} end
local record = redis.call('HGET', passkeys, ARGV[3])
if not record then return {'unknown'} end
if record == ARGV[5] then return {'ok'} end
if record ~= ARGV[4] then return {'exists'} end
redis.call('HSET', passkeys, ARGV[3], ARGV[5])
return {'ok'}
