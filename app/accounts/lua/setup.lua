-- Returns the ID of the invite that creates the first owner, and creates it if there is none.
--
-- KEYS  1 owners  2 setup  3 the invite to create
-- ARGV  1 the ID of the invite to create
-- Reply the ID, or '' if there is an owner

if redis.call('SCARD', KEYS[1]) > 0 then return '' end
if redis.call('SET', KEYS[2], ARGV[1], 'NX') then
  redis.call('HSET', KEYS[3], 'room', '', 'role', 'owner', 'uses', 1, 'expiry', 0, 'by', '', 'setup', 1)
end
return redis.call('GET', KEYS[2])
