-- Functions that apply a room's retention limits. Needs lib.lua and reactions.lua.

-- oldest(age) returns the time in ms of the oldest entries to keep, or 0 to keep all.
--   age  how long to keep entries, in ms; 0 keeps them forever
local function oldest(age)
  if age == 0 then return 0 end
  return clock() - age
end

-- trim(room, meta, amended, erased, runs, erased_edits, length, most, oldest) removes up to 500
-- entries beyond the room's retention limits, and stores the ID and number of the last one.
--   length  the number of entries in the room
--   most    how many entries to keep; 0 is no limit. Trimming starts when the room has 10%
--           more, so that not every append has to trim.
--   oldest  remove entries before this time in ms; 0 removes none
-- Returns the ID of the last removed entry, or nil if none was removed.
--
-- trimmed_n is that entry's number. If the next entry does not have the next number, another
-- program trimmed the stream. See detect_trim.lua.
-- XTRIM must be the first write. A full Redis refuses a script whose first write needs memory.
-- XTRIM needs none, and Redis then allows the writes after it.
local function trim(room, meta, amended, erased, runs, erased_edits, length, most, oldest)
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
  for _, entry in ipairs(dropped) do remove_state(amended, entry[1]) end
  -- This keeps the erased IDs of the last millisecond, which does no harm.
  local below = '(' .. string.match(through, '^%d+')
  for _, set in ipairs({erased, erased_edits}) do
    for _, id in ipairs(redis.call('ZRANGEBYSCORE', set, '-inf', below, 'LIMIT', 0, 500)) do
      redis.call('HDEL', amended, id)
      redis.call('ZREM', set, id)
    end
  end
  return through
end
