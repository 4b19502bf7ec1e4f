-- Creates a room with its first entries: its settings, and one for each member. In a public room, only a
-- creator with an account becomes a member, as its moderator. Needs lib.lua and rights.lua.
--
-- KEYS  1 room  2 meta  3 amended  4 erased  5 runs  6 erased_edits  7 members  8 activity  9 rooms or hidden
-- ARGV  1 room's name  2 epoch  3 second part of the first entry's ID  4 idempotency key of the first entry
--       5 kind: 'public', 'private' or 'direct'  6 title  7 creator's user ID  8 creator's name
--       9 creator's role, or '' for none  10, 11, ... user ID and name of each other member
-- Reply 'created' if the room is new, or if the same creator has already created it with this idempotency
--       key; else 'exists'

local name, epoch, key, kind, title, uid, author = ARGV[1], ARGV[2], ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[8]

if redis.call('EXISTS', KEYS[1]) == 1 or redis.call('HEXISTS', KEYS[2], 'kind') == 1 then
  local first = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
  local fields = {}
  for i = 1, #(first and first[2] or {}), 2 do fields[first[2][i]] = first[2][i + 1] end
  return fields.key == key and fields.uid == uid and 'created' or 'exists'
end
-- As in append.lua, keys of a lost history must not become part of the new one.
if redis.call('EXISTS', KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]) > 0 then
  redis.call('DEL', KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6])
end

local n, id = 0, nil
local function append(kind, idempotency_key, ...)
  n = n + 1
  local wanted_id = n == 1 and string.format('%.0f-%s', clock(), ARGV[3]) or '*'
  id = redis.call('XADD', KEYS[1], wanted_id, 'kind', kind, 'n', n, 'm', 0, 'key', idempotency_key, 'uid', uid, 'name', author, ...)
end
local function add(member_uid, member_name, role)
  append('member', '', 'member', member_uid, 'member_name', member_name, 'role', role)
  redis.call('HSET', KEYS[7], member_uid, role .. ' ' .. id .. ' ')
end

append('room', key, 'title', title, 'archived', '', 'locked', '')
if ARGV[9] ~= '' then add(uid, author, ARGV[9]) end
for i = 10, #ARGV, 2 do add(ARGV[i], ARGV[i + 1], 'member') end

local millis = string.match(id, '^%d+')
redis.call('HSET', KEYS[2], 'epoch', epoch, 'n', n, 'messages', 0, 'created', millis,
  'message', '0-0', 'message_n', 0, 'message_m', 0, 'title', title, 'archived', '', 'locked', '', 'restricted', '1')
if kind ~= 'public' then redis.call('HSET', KEYS[2], 'kind', kind) end
redis.call('ZADD', KEYS[9], millis, name)
redis.call('XADD', KEYS[8], 'MAXLEN', '~', 1000, '*', 'room', name, 'at', id .. '@' .. epoch)
return 'created'
