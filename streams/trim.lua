-- number(fields) is the number of an entry; nil: Burble did not write it.
local function number(fields)
  for i = 1, #fields, 2 do
    if fields[i] == 'n' then return tonumber(fields[i + 1]) end
  end
end

-- trim(room, meta, amended, erased, length, most, oldest) drops from the beginning of a
-- room what its retention no longer keeps, at most 500 entries a call, and
-- records how far it went.
--   length  of the room now
--   most    keep this many entries; 0: any number. Trimming starts a tenth
--           above it, so that not every append pays for it.
--   oldest  drop entries below this time in ms; 0: none
-- Returns the ID it went through; nil: nothing was dropped.
--
-- trimmed_n is the number of the last entry dropped. With it a gap in the numbers
-- shows that somebody else trimmed the stream, see notice.lua.
-- XTRIM comes before every other write: a script whose first write needs no
-- memory is let through when Redis is full, and its record with it.
local function trim(room, meta, amended, erased, length, most, oldest)
  local drop = 0
  if most > 0 and length > most + math.floor(most / 10) then
    drop = math.min(length - most, 500)
  end
  if oldest > 0 then
    local old = redis.call('XRANGE', room, '-', string.format('%.0f', oldest - 1), 'COUNT', 500)
    drop = math.max(drop, #old)
  end
  if drop == 0 then return end
  local dropped = redis.call('XRANGE', room, '-', '+', 'COUNT', drop)
  local through = dropped[#dropped][1]
  redis.call('XTRIM', room, 'MAXLEN', '=', length - #dropped)
  redis.call('HSET', meta, 'trimmed', through)
  for i = #dropped, 1, -1 do
    local n = number(dropped[i][2])
    if n then redis.call('HSET', meta, 'trimmed_n', n); break end
  end
  for _, entry in ipairs(dropped) do redis.call('HDEL', amended, entry[1]) end
  -- IDs erased in the last millisecond itself stay: too many do no harm.
  local below = '(' .. string.match(through, '^%d+')
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', erased, '-inf', below, 'LIMIT', 0, 500)) do
    redis.call('HDEL', amended, id)
    redis.call('ZREM', erased, id)
  end
  return through
end

-- clock() is the time by Redis' clock, in ms.
local function clock()
  local now = redis.call('TIME')
  return now[1] * 1000 + math.floor(now[2] / 1000)
end

-- oldest(age) is the time below which entries are too old, in ms; 0: none is.
local function oldest(age)
  if age == 0 then return 0 end
  return clock() - age
end

-- parts(id) are the two numbers of an entry ID. The point is for miniredis, whose
-- Lua makes nil of whole numbers above 2^63, such as the greatest second part.
local function parts(id)
  local millis, seq = string.match(id, '^(%d+)-(%d+)$')
  return tonumber(millis), tonumber(seq .. '.0')
end

-- ended(room) is the greatest ID that the stream ever gave; nil: Redis does not say.
local function ended(room)
  local info = redis.call('XINFO', 'STREAM', room)
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then return info[i + 1] end
  end
end
