-- Functions for other scripts. scripts.go puts this file before the scripts that need it.

-- number(fields) returns the number of an entry, or nil if another program wrote the entry.
local function number(fields)
  for i = 1, #fields, 2 do
    if fields[i] == 'n' then return tonumber(fields[i + 1]) end
  end
end

-- clock() returns the current time by Redis's clock, in ms.
local function clock()
  local now = redis.call('TIME')
  return now[1] * 1000 + math.floor(now[2] / 1000)
end

-- parts(id) returns the two numbers of an entry ID. Without the '.0', Lua in miniredis returns nil
-- for integers above 2^63, and the second number can be as large as 2^64-1.
local function parts(id)
  local millis, seq = string.match(id, '^(%d+)-(%d+)$')
  return tonumber(millis), tonumber(seq .. '.0')
end

-- before(a, b) reports whether entry ID a comes before b in a stream.
local function before(a, b)
  local ams, aseq = parts(a)
  local bms, bseq = parts(b)
  return ams < bms or ams == bms and aseq < bseq
end

-- last_generated(room) returns the greatest ID that the stream has ever had. If the Redis host forbids XINFO
-- STREAM, it returns an upper bound instead: an ID later than any in the stream, but before the next
-- entry's. Readers at the end of the stream are then reported as truncated too, although they missed
-- nothing.
local function last_generated(room)
  local info = redis.pcall('XINFO', 'STREAM', room)
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then return info[i + 1] end
  end
  return string.format('%.0f-18446744073709551615', clock() - 1)
end
