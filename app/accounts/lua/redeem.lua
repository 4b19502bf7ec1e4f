-- Redeems an invite: creates the person's account if there is none, and spends a use. Needs lib.lua,
-- which documents KEYS 1 to 9 and ARGV 1.
--
-- KEYS  10 the invite  11 when each person redeemed it  12 setup  13 the account of the invite's creator
-- ARGV  2 to 7 as for create. If 3 is '', the person has an account, and 2 is one of its sessions
--       8 the user ID of the invite's creator
-- Reply ok name role, room, role, when the person first redeemed it (in Unix seconds), 1 if that was
--       an earlier call or 0, when the invite was created; or code, banned, exists, or signed_out
--
-- An invite is valid only while its creator may still create it.

local invite = redis.call('HMGET', KEYS[10], 'room', 'role', 'uses', 'expiry', 'by', 'setup', 'created')
local room, role, uses, expiry, by, is_setup, created = unpack(invite)
if not role or by ~= ARGV[8] or tonumber(expiry) > 0 and tonumber(expiry) <= clock() then return {'code'} end
local at = redis.call('HGET', KEYS[11], user)
if not at then
  if tonumber(uses) <= 0 or not may_invite(by, KEYS[13], room, role) then return {'code'} end
  if is_setup and redis.call('SCARD', owners) > 0 then return {'code'} end
end
local server_role = room == '' and role or 'member'
if ARGV[3] ~= '' then
  local status = create(server_role)
  if status ~= 'ok' then return {status} end
else
  if is_banned() then return {'banned'} end
  if redis.call('HEXISTS', sessions, ARGV[2]) == 0 then return {'signed_out'} end
  local own = rank[redis.call('HGET', account, 'role')]
  if not at and rank[server_role] > own then set_role(server_role, by) end
end
local repeated = at and 1 or 0
if not at then
  at = clock()
  redis.call('HINCRBY', KEYS[10], 'uses', -1)
  redis.call('HSET', KEYS[11], user, at)
  if tonumber(expiry) > 0 then redis.call('EXPIREAT', KEYS[11], expiry + 86400) end
  if is_setup then redis.call('DEL', KEYS[12]) end
end
return found(room, role, tostring(at), tostring(repeated), created or '0')
