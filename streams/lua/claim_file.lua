-- Claims a due file for removal, unless a message has it. A claimed file can no longer be sent. Needs lib.lua.
--
-- KEYS  1 file:<ID>  2 files  3 room
-- ARGV  1 file's ID  2 time in ms until a file that a message has is due again  3 time in ms until a claimed
--       file is due again, in case the caller does not remove it
-- Reply 1 if the file is claimed, or 0 if a message has it, it is not due, or it does not exist

local file = redis.call('HMGET', KEYS[1], 'entry', 'removed', 'room')
if not file[3] then
  redis.call('ZREM', KEYS[2], ARGV[1])
  return 0
end
local due, now = redis.call('ZSCORE', KEYS[2], ARGV[1]), clock()
if due and tonumber(due) > now then return 0 end

local function reschedule(after) redis.call('ZADD', KEYS[2], now + tonumber(after), ARGV[1]) end
if file[1] and not file[2] and #redis.call('XRANGE', KEYS[3], file[1], file[1]) > 0 then
  reschedule(ARGV[2])
  return 0
end
redis.call('ZREM', KEYS[2], ARGV[1]) -- must be the first write. It needs no memory, so a full Redis allows the rest
redis.call('HSET', KEYS[1], 'removed', '1')
reschedule(ARGV[3])
return 1
