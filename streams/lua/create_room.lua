-- Creates a hidden room with its first entries: its settings, and one for each member.
-- Needs lib.lua and rights.lua.
--
-- KEYS  1 room  2 meta  3 members  4 activity  5 hidden
-- ARGV  1 room's name  2 epoch  3 second part of the first entry's ID  4 kind: 'private' or 'direct'
--       5 title  6 creator's user ID  7 creator's name  8, 9, ... user ID and name of each other member
-- Reply 'created', or 'exists' if the room exists already

if redis.call('HEXISTS', KEYS[2], 'kind') == 1 then return 'exists' end
local name, epoch, kind, title, uid, author = ARGV[1], ARGV[2], ARGV[4], ARGV[5], ARGV[6], ARGV[7]

local n, id = 0, nil
local function append(kind, ...)
  n = n + 1
  local own = n == 1 and string.format('%.0f-%s', clock(), ARGV[3]) or '*'
  id = redis.call('XADD', KEYS[1], own, 'kind', kind, 'n', n, 'm', 0, 'key', '', 'uid', uid, 'name', author, ...)
end
local function add(member_uid, member_name, role)
  append('member', 'member', member_uid, 'member_name', member_name, 'role', role)
  redis.call('HSET', KEYS[3], member_uid, role .. ' ' .. id .. ' ')
end

append('room', 'title', title, 'archived', '', 'locked', '')
add(uid, author, kind == 'private' and 'moderator' or 'member')
for i = 8, #ARGV, 2 do add(ARGV[i], ARGV[i + 1], 'member') end

local millis = string.match(id, '^%d+')
redis.call('HSET', KEYS[2], 'epoch', epoch, 'n', n, 'messages', 0, 'created', millis,
  'message', '0-0', 'message_n', 0, 'message_m', 0, 'kind', kind, 'title', title, 'archived', '', 'locked', '')
redis.call('ZADD', KEYS[5], millis, name)
redis.call('XADD', KEYS[4], 'MAXLEN', '~', 1000, '*', 'room', name, 'at', id .. '@' .. epoch)
return 'created'
