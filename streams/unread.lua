-- What a list of rooms says of one room to one user.
--
-- KEYS  1 room  2 meta  3 present
-- ARGV  1 read up to this entry ID, '' for never  2 user ID  3 '@name' in lower case
-- Reply {last entry ID or '', topic, unread, mentions, people here}
--
-- Others' messages after the marker are counted, from the newest back: 250 entries, and on
-- to 1,000 while they have fewer than 100 messages. What is beyond is "many" to a person,
-- and a long absence must not hold Redis up.

local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
local topic = redis.call('HGET', KEYS[2], 'topic') or ''
local unread, mentions = 0, 0

local function count(fields)
  local entry = {}
  for i = 1, #fields, 2 do entry[fields[i]] = fields[i + 1] end
  if entry.kind ~= 'message' or entry.uid == ARGV[2] then return end
  unread = unread + 1
  if ARGV[3] ~= '@' and string.find(string.lower(entry.text or ''), ARGV[3], 1, true) then
    mentions = mentions + 1
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
return {last and last[1] or '', topic, unread, mentions, redis.call('HLEN', KEYS[3])}
