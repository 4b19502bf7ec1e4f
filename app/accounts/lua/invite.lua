-- Creates an invite. The person is its creator. Needs lib.lua, which documents KEYS 1 to 9 and ARGV 1.
--
-- KEYS  10 the invite  11 invites
-- ARGV  2 room or ''  3 role  4 uses  5 life in seconds  6 the invite's ID
-- Reply ok, or not_allowed

if not may_invite(user, account, ARGV[2], ARGV[3]) then return {'not_allowed'} end
if redis.call('HSETNX', KEYS[10], 'uses', ARGV[4]) == 1 then
  local expiry = clock() + ARGV[5] -- servers may have other clocks
  redis.call('HSET', KEYS[10], 'room', ARGV[2], 'role', ARGV[3], 'expiry', expiry, 'by', user, 'created', clock())
  redis.call('EXPIREAT', KEYS[10], expiry + 86400)
  redis.call('ZREMRANGEBYSCORE', KEYS[11], '-inf', clock() - 86400)
  redis.call('ZADD', KEYS[11], expiry, ARGV[6])
end
return {'ok'}
