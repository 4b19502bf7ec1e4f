-- Removes an account, its sessions and its passkeys. Needs lib.lua, which documents KEYS 1 to 9 and ARGV 1.
--
-- KEYS  10 optionally, the person's identity at a provider
-- ARGV  2 a session of the person
-- Reply ok, signed_out, or last_owner

if redis.call('EXISTS', account) == 0 then return {'ok'} end
if is_banned() or redis.call('HEXISTS', sessions, ARGV[2]) == 0 then return {'signed_out'} end
if redis.call('HGET', account, 'role') == 'owner' and redis.call('SCARD', owners) == 1 then return {'last_owner'} end
allow_when_full()
change('left')
redis.call('HSET', ended_guests, user, 'left')
for _, id in ipairs(redis.call('HKEYS', passkeys)) do redis.call('HDEL', passkey_users, id) end
redis.call('SREM', owners, user)
redis.call('ZREM', accounts, user)
redis.call('DEL', account, sessions, passkeys, unpack(KEYS, 10))
return {'ok'}
