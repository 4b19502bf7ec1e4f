-- Sends a signal in a hidden room, if its user is a member. Needs lib.lua and rights.lua.
--
-- KEYS  1 activity  2 members
-- ARGV  1 room's name  2 ID of the user  3 the signal
-- Reply 1 if the signal was sent, else 0

if not member(KEYS[2], ARGV[2]) then return 0 end
redis.call('XADD', KEYS[1], 'MAXLEN', '~', 1000, '*', 'room', ARGV[1], 'signal', ARGV[3])
return 1
