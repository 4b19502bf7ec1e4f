-- oldest(age) returns the time in ms below which entries are too old, 0 for none.
--   age  how long to keep entries, in ms; 0 keeps them forever
local function oldest(age)
  if age == 0 then return 0 end
  return clock() - age
end

-- trim(room, meta, amended, erased, runs, length, most, oldest) removes the entries that the
-- room's retention no longer keeps, at most 500 a call, and records how far it went.
--   length  the number of entries in the room
--   most    how many entries to keep; 0 is no limit. Trimming starts when the room is
--           10 % over it, so that not every append has to trim.
--   oldest  remove entries below this time in ms; 0 removes none
-- Returns the ID of the last entry removed, nil if none was.
--
-- trimmed_n is the number of that entry. A gap in the numbers above it shows that
-- another program trimmed the stream, see detect_trim.lua.
-- XTRIM must be the first write. When Redis is out of memory, it refuses a script at its
-- first write that needs memory; XTRIM needs none, and the writes after it are allowed.
local function trim(room, meta, amended, erased, runs, length, most, oldest)
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
  redis.call('XTRIM', runs, 'MINID', through)
  for i = #dropped, 1, -1 do
    local n = number(dropped[i][2])
    if n then redis.call('HSET', meta, 'trimmed_n', n); break end
  end
  for _, entry in ipairs(dropped) do redis.call('HDEL', amended, entry[1]) end
  -- This keeps IDs erased in the same millisecond as the last one. Extra IDs do no harm.
  local below = '(' .. string.match(through, '^%d+')
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', erased, '-inf', below, 'LIMIT', 0, 500)) do
    redis.call('HDEL', amended, id)
    redis.call('ZREM', erased, id)
  end
  return through
end
