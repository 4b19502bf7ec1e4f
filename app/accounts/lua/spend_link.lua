-- Spends a one-time link: starts a session of the person it was created for. Needs lib.lua.
--
-- KEYS  10 the link
-- ARGV  2 session  3 its record
-- Reply ok name role, banned, unknown, or code
--
-- If this session has already spent the link, the reply is also ok, so that a call may be repeated.

local link = redis.call('HMGET', KEYS[10], 'user', 'spent')
if link[1] ~= user then return {'code'} end
if is_banned() then return {'banned'} end
if redis.call('EXISTS', account) == 0 then return {'unknown'} end
if not link[2] then
  redis.call('HSET', KEYS[10], 'spent', ARGV[2])
  start_session(ARGV[2], ARGV[3])
elseif link[2] ~= ARGV[2] or redis.call('HEXISTS', sessions, ARGV[2]) == 0 then
  return {'code'}
end
return found()
