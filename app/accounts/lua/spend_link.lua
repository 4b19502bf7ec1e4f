-- Spends a one-time link: starts a session of the person it was created for. Needs lib.lua,
-- which documents KEYS 1 to 9 and ARGV 1.
--
-- KEYS  10 the link  11 its creator's account  12 its creator's sessions
-- ARGV  2 session  3 its record  4 its creator's user ID
-- Reply ok name role, banned, unknown, or code
--
-- If this session has already spent the link, the reply is also ok, so that a call may be repeated. A link is
-- valid only while its creator may still create it, and until the session that created it ends. Links of older
-- releases have no creator.

local link = redis.call('HMGET', KEYS[10], 'user', 'spent', 'by', 'session')
local by, created_in = link[3] or '', link[4] or ''
if link[1] ~= user or by ~= ARGV[4] then return {'code'} end
if is_banned() then return {'banned'} end
if redis.call('EXISTS', account) == 0 then return {'unknown'} end
if not link[2] then
  if by ~= user and not may_act(by, KEYS[11]) then return {'code'} end
  if created_in ~= '' and redis.call('HEXISTS', KEYS[12], created_in) == 0 then return {'code'} end
  redis.call('HSET', KEYS[10], 'spent', ARGV[2])
  start_session(ARGV[2], ARGV[3])
elseif link[2] ~= ARGV[2] or redis.call('HEXISTS', sessions, ARGV[2]) == 0 then
  return {'code'}
end
return found()
