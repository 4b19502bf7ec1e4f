-- Starts a session of an account. Needs lib.lua, which documents KEYS 1 to 9 and ARGV 1.
--
-- ARGV  2 session  3 its record  4 the passkey that was used, or ''  5 its new record
-- Reply ok name role, banned, or unknown

if is_banned() then return {'banned'} end
if redis.call('EXISTS', account) == 0 then return {'unknown'} end
if ARGV[4] ~= '' then
  if redis.call('HEXISTS', passkeys, ARGV[4]) == 0 then return {'unknown'} end
  redis.call('HSET', passkeys, ARGV[4], ARGV[5])
end
start_session(ARGV[2], ARGV[3])
return found()
