-- Adds a passkey to an account, or removes one. Needs lib.lua, which documents KEYS 1 to 9 and ARGV 1.
--
-- ARGV  2 a session of the person  3 passkey  4 its record, or '' to remove it
-- Reply ok, signed_out, or exists

if is_banned() or redis.call('HEXISTS', sessions, ARGV[2]) == 0 then return {'signed_out'} end
if ARGV[4] ~= '' then return {add_passkey(ARGV[3], ARGV[4]) and 'ok' or 'exists'} end
if redis.call('HDEL', passkeys, ARGV[3]) == 1 then redis.call('HDEL', passkey_users, ARGV[3]) end
return {'ok'}
