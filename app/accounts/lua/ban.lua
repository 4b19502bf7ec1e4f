-- Bans a person, with or without an account, or ends a ban. Needs lib.lua, which documents KEYS 1 to 9 and ARGV 1.
--
-- KEYS  10 the account of the acting user
-- ARGV  2 the acting user's ID, or '' for the operator  3 the ban's record, or '' to end it
-- Reply ok, or not_allowed
--
-- An owner cannot be banned, so that there is always an owner who can sign in.

if ARGV[2] == user or not may_act(ARGV[2], KEYS[10]) then return {'not_allowed'} end
if redis.call('HGET', account, 'role') == 'owner' then return {'not_allowed'} end
if ARGV[3] == '' then
  if not is_banned() then return {'ok'} end
  change('unbanned', 'by', ARGV[2])
  redis.call('HDEL', bans, user)
  if redis.call('HGET', ended_guests, user) == 'banned' then redis.call('HDEL', ended_guests, user) end
  return {'ok'}
end
allow_when_full()
if redis.call('HSETNX', bans, user, ARGV[3]) == 0 then return {'ok'} end
redis.call('HSETNX', ended_guests, user, 'banned')
change('banned', 'by', ARGV[2])
redis.call('DEL', sessions)
return {'ok'}
