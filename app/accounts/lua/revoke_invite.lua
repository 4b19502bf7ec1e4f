-- Revokes an invite. The person is the user who revokes it. Needs lib.lua, which documents KEYS 1 to 9 and ARGV 1.
--
-- KEYS  10 the invite  11 invites
-- ARGV  2 the invite's ID
-- Reply ok and '1', or ok and '0' if there was no such invite; or not_allowed. The creator may revoke an invite, and
--       moderators may revoke those without a room

local invite = redis.call('HMGET', KEYS[10], 'by', 'room')
if invite[1] then
  local own = rank[redis.call('HGET', account, 'role') or ''] or 0
  if user ~= '' and (is_banned() or invite[1] ~= user and (invite[2] ~= '' or own < rank.moderator)) then
    return {'not_allowed'}
  end
  redis.call('DEL', KEYS[10])
end
redis.call('ZREM', KEYS[11], ARGV[2])
return {'ok', invite[1] and '1' or '0'}
