-- Reads one stretch of a room's messages as they are now, atomically.
--
-- KEYS  1 room  2 meta  3 amended  4 erased
-- ARGV  1 'older' or 'newer'  2 the bound to start from, as XRANGE takes it
--       3 how many messages
-- Reply {epoch, last entry ID, messages, tombstones, rest}, where a message is
--       {ID, fields, state or ''}, a tombstone {ID, state}, and rest the bound to
--       go on from, '' at the end. Tombstones come unordered with the messages:
--       the caller merges them.

local older, bound, most = ARGV[1] == 'older', ARGV[2], tonumber(ARGV[3])
local scanned, messages = 0, {}
local rest = ''

local function chunk(from)
  if older then return redis.call('XREVRANGE', KEYS[1], from, '-', 'COUNT', most + 1) end
  return redis.call('XRANGE', KEYS[1], from, '+', 'COUNT', most + 1)
end

local function is_message(fields)
  for i = 1, #fields, 2 do
    if fields[i] == 'kind' then return fields[i + 1] == 'message' end
  end
  return false
end

-- A stretch of nothing but reactions must not hold Redis up: 4,000 entries at most.
local from = bound
repeat
  local found = chunk(from)
  for _, entry in ipairs(found) do
    scanned = scanned + 1
    if is_message(entry[2]) then
      if #messages == most then rest = '(' .. messages[most][1]; break end
      table.insert(messages, {entry[1], entry[2], redis.call('HGET', KEYS[3], entry[1]) or ''})
    end
    from = '(' .. entry[1]
  end
  local more = #found == most + 1
  if rest == '' and more and scanned >= 4000 then rest = from end
until rest ~= '' or not more

-- Tombstones within what was read, by time: the caller cuts at the exact IDs.
local function millis(place) return string.match(place, '%d+') end
local low, high = '-inf', '+inf'
if older then
  if bound ~= '+' then high = millis(bound) end
  if rest ~= '' then low = millis(rest) end
else
  if bound ~= '-' then low = millis(bound) end
  if rest ~= '' then high = millis(rest) end
end
local erased
if older then
  erased = redis.call('ZREVRANGEBYSCORE', KEYS[4], high, low, 'LIMIT', 0, 2000)
else
  erased = redis.call('ZRANGEBYSCORE', KEYS[4], low, high, 'LIMIT', 0, 2000)
end
local gone = {}
for _, id in ipairs(erased) do
  local state = redis.call('HGET', KEYS[3], id)
  if state then table.insert(gone, {id, state}) end
end

local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
local meta = redis.call('HMGET', KEYS[2], 'epoch', 'trimmed')
return {meta[1] or '', last and last[1] or meta[2] or '0-0', messages, gone, rest}
