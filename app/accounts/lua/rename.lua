-- Changes the name of an account. Needs lib.lua, which documents KEYS 1 to 9 and ARGV 1.
--
-- ARGV  2 a session of the person  3 name
-- Reply ok, or signed_out

if is_banned() or redis.call('HEXISTS', sessions, ARGV[2]) == 0 then return {'signed_out'} end
if redis.call('HGET', account, 'name') ~= ARGV[3] then
  redis.call('HSET', account, 'name', ARGV[3])
  change('name', 'name', ARGV[3])
end
return {'ok'}
