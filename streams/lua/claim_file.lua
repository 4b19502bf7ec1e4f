-- Decides whether a file that is due can be removed: no message has it. From then on, no message can get it.
-- Needs lib.lua.
--
-- KEYS  1 file:<ID>  2 files  3 room
-- ARGV  1 file's ID  2 when to look again at a file that a message has, in ms from now  3 when to look
--       again at a file that can be removed, in case the caller does not remove it, in ms from now
-- Reply 1 if the file can be removed, or 0 if a message has it, it is not due, or it is gone

local file = redis.call('HMGET', KEYS[1], 'entry', 'removed', 'room')
if not file[3] then
  redis.call('ZREM', KEYS[2], ARGV[1])
  return 0
end
local due, now = redis.call('ZSCORE', KEYS[2], ARGV[1]), clock()
if due and tonumber(due) > now then return 0 end

local function look_again(after) redis.call('ZADD', KEYS[2], now + tonumber(after), ARGV[1]) end
if file[1] and not file[2] and #redis.call('XRANGE', KEYS[3], file[1], file[1]) > 0 then
  look_again(ARGV[2])
  return 0
end
redis.call('HSET', KEYS[1], 'removed', '1')
look_again(ARGV[3])
return 1
