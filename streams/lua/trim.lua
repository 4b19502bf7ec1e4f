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
--   most    how many entries to keep; 0 is no limit. Trimming starts only when the room has over 10%
--           more, so that most appends need not trim.
--   oldest  the time in ms before which entries are removed; 0 removes none
-- Returns the ID of the last removed entry, or nil if none was removed.
--
-- In meta, trimmed_n is that entry's number. If the first remaining entry does not have the next number,
-- another program has trimmed the stream. See detect_trim.lua.
--
-- XTRIM must be the first write. A full Redis refuses a script whose first write needs memory. XTRIM
-- needs none, and Redis then allows the writes after it.
local function trim(room, meta, amended, erased, runs, erased_edits, length, most, oldest)
  local excess = 0
  if most > 0 and length > most + math.floor(most / 10) then
    excess = math.min(length - most, 500)
  end
  if oldest > 0 then
    local old = redis.call('XRANGE', room, '-', string.format('%.0f', oldest - 1), 'COUNT', 500)
    excess = math.max(excess, #old)
  end
  if excess == 0 then return end
  local removed = redis.call('XRANGE', room, '-', '+', 'COUNT', excess)
  local through = removed[#removed][1]
  redis.call('XTRIM', room, 'MAXLEN', '=', length - #removed)
  redis.call('HSET', meta, 'trimmed', through)
  redis.call('XTRIM', runs, 'MINID', through)
  for i = #removed, 1, -1 do
    local n = number(removed[i][2])
    if n then redis.call('HSET', meta, 'trimmed_n', n); break end
  end
  for _, entry in ipairs(removed) do remove_state(amended, entry[1]) end
  -- The erased IDs of the last trimmed millisecond are kept, which is harmless.
  local below = '(' .. string.match(through, '^%d+')
  for _, set in ipairs({erased, erased_edits}) do
    for _, id in ipairs(redis.call('ZRANGEBYSCORE', set, '-inf', below, 'LIMIT', 0, 500)) do
      redis.call('HDEL', amended, id)
      redis.call('ZREM', set, id)
    end
  end
  return through
end
