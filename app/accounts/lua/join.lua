-- Creates an account with the role member, and its first session. Needs lib.lua, which documents KEYS 1 to 9 and ARGV 1.
--
-- KEYS  10 optionally, the person's identity at a provider, which holds a user ID
-- ARGV  2 to 7 as for create  8 the name of the identity
-- Reply ok name role, known and the user ID that has the identity, banned, or exists

if KEYS[10] then
  local known = redis.call('GET', KEYS[10])
  if known and known ~= user then return {'known', known} end
end
local status = create('member')
if status ~= 'ok' then return {status} end
if KEYS[10] then
  redis.call('SET', KEYS[10], user)
  redis.call('HSET', account, 'identity', ARGV[8])
end
return found()
