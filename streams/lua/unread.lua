-- Returns the data about one room for one user's list of rooms. Needs lib.lua and rights.lua.
--
-- KEYS  1 room  2 meta  3 present  4 members
-- ARGV  1 the user's read marker, or '' if there is none
--       2 ID of the user, who must be a member, or '' if the room is not hidden
-- Reply {last entry ID or '', topic, people present, entries after the marker, messages after it, title}.
--       The last entry ID of a room that is hidden from the user is ''
--
-- The script reads only the last entry and the one at the marker. Each entry stores the number of entries and of
-- messages up to it. The number of messages in the reply is -1 if an older release appended the entry at
-- the marker. Both numbers include deleted messages and the user's own messages.

if ARGV[2] ~= '' and not member(KEYS[4], ARGV[2]) then return {'', '', 0, 0, 0, ''} end

local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
local meta = redis.call('HMGET', KEYS[2], 'topic', 'n', 'messages', 'title')
local entries, messages = 0, 0

local function values(entry)
  local fields = {}
  for i = 1, #entry[2], 2 do fields[entry[2][i]] = entry[2][i + 1] end
  return tonumber(fields.n), tonumber(fields.m), fields.kind
end

if last and ARGV[1] ~= '' and ARGV[1] ~= last[1] then
  local read = redis.call('XREVRANGE', KEYS[1], ARGV[1], '-', 'COUNT', 1)[1]
  local n, m, kind
  if read then
    n, m = values(read)
  else -- it was trimmed
    n, m, kind = values(redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1])
    n, m = n and n - 1, m and (kind == 'message' and m - 1 or m)
  end
  entries = n and meta[2] and meta[2] - n or redis.call('XLEN', KEYS[1])
  messages = m and meta[3] and meta[3] - m or -1
end
return {last and last[1] or '', meta[1] or '', redis.call('HLEN', KEYS[3]), entries, messages, meta[4] or ''}
