-- Checks whether a user may upload files to a room, and records an uploaded file, if given. Needs lib.lua and
-- rights.lua.
--
-- KEYS  1 meta  2 members  of an upload: 3 file:<ID>  4 files
-- ARGV  1 room's name  2 user ID  3 user's rank: 'owner', 'moderator', or '' for all others
--       of an upload: 4 file's ID  5 how long it can be sent, in ms  6, 7, ... name and value of
--       each field of the hash
-- Reply 'ok', or what refuse() in rights.lua returns for a message

local name, uid = ARGV[1], ARGV[2]
local room, actor = look_up(name, KEYS[1], KEYS[2], uid, ARGV[3])
local denied = refuse(room, actor, 'message', {}, KEYS[2])
if denied then return denied end

if KEYS[3] then
  redis.call('HSET', KEYS[3], 'room', name, 'uid', uid, unpack(ARGV, 6))
  redis.call('ZADD', KEYS[4], clock() + tonumber(ARGV[5]), ARGV[4])
end
return 'ok'
