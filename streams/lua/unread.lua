-- Returns what a list of rooms shows one user about one room.
--
-- KEYS  1 room  2 meta  3 present
-- ARGV  1 the user's read marker, '' if there is none  2 user ID
--       3 '@' and the user's name, only A to Z in lower case  4 the same, all in lower case
-- Reply {last entry ID or '', topic, unread, mentions, people present}
--
-- It counts messages of other users after the marker, from the newest back. It reads 250 entries
-- at a time, until it has counted 100 messages or read 1,000 entries: a long absence must not
-- block Redis, and people need no exact number above 100.

local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
local topic = redis.call('HGET', KEYS[2], 'topic') or ''
local unread, mentioned = 0, 0

-- A mention is a whole word: no letter or digit precedes the @ or follows the name. Letters are
-- ASCII, and U+00C0 to U+1FFF, whose UTF-8 starts with 0xC3 to 0xE1. Most scripts above that
-- have no spaces between words. views/static/js/messages/highlight.js has the same rule.
local word = '[%w\195-\225]'
local function mentions(text, name)
  local from, to = string.find(text, name, 1, true)
  while from do
    if not string.find(text, '^' .. word, to + 1)
      and not string.find(string.sub(text, math.max(1, from - 3), from - 1), word .. '[\128-\191]*$') then
      return true
    end
    from, to = string.find(text, name, to + 1, true)
  end
end

local function count(fields)
  local entry = {}
  for i = 1, #fields, 2 do entry[fields[i]] = fields[i + 1] end
  if entry.kind ~= 'message' or entry.uid == ARGV[2] then return end
  unread = unread + 1
  local text = string.lower(entry.text or '') -- A to Z only
  if ARGV[3] ~= '@' and (mentions(text, ARGV[3]) or mentions(text, ARGV[4])) then
    mentioned = mentioned + 1
  end
end

local before = '+'
for _ = 1, 4 do
  if not last or ARGV[1] == '' or last[1] == ARGV[1] or unread >= 100 then break end
  local some = redis.call('XREVRANGE', KEYS[1], before, '(' .. ARGV[1], 'COUNT', 250)
  for _, entry in ipairs(some) do count(entry[2]) end
  if #some < 250 then break end
  before = '(' .. some[250][1]
end
return {last and last[1] or '', topic, unread, mentioned, redis.call('HLEN', KEYS[3])}
