-- Changes a person's role. Needs lib.lua, which documents KEYS 1 to 9 and ARGV 1.
--
-- KEYS  10 the account of the user who changes it
-- ARGV  2 the ID of that user, or '' for the operator  3 role
-- Reply ok, unknown, not_allowed, or last_owner

local own = redis.call('HGET', account, 'role')
if ARGV[2] ~= '' then
  local actor_role = redis.call('HGET', KEYS[10], 'role')
  if actor_role ~= 'owner' or redis.call('HEXISTS', bans, ARGV[2]) == 1 then return {'not_allowed'} end
end
if not own then return {'unknown'} end
if own == ARGV[3] then return {'ok'} end
if own == 'owner' and redis.call('SCARD', owners) == 1 then return {'last_owner'} end
if is_banned() and ARGV[3] == 'owner' then return {'not_allowed'} end
if own ~= 'member' then allow_when_full() end -- to demote a moderator
set_role(ARGV[3], ARGV[2])
return {'ok'}
