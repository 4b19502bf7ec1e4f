-- Detects and records a trim by another program. Redis keeps no record of trims, but a room's numbers
-- have no gaps. Between the last entry that Burble trimmed and the first remaining one, only erased
-- entries may be missing. Needs lib.lua.
--
-- KEYS  1 room  2 meta  3 erased  4 erased_edits
-- ARGV  1 the first entry's ID, or '' if there is none  2 the greatest ID below it
-- Reply {ID of the last trimmed entry, '1' if another program trimmed it, else ''}, or
--       {'again', ''} if the first entry is no longer ARGV[1]

local first = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 100)
if (first[1] and first[1][1] or '') ~= ARGV[1] then return {'again', ''} end
local meta = redis.call('HMGET', KEYS[2], 'trimmed', 'trimmed_n', 'n')
local trimmed, n = meta[1] or '0-0', nil
for _, entry in ipairs(first) do -- the first entries may be from other programs
  n = n or number(entry[2])
end
n = (n or tonumber(meta[3] or 0) + 1) - 1

local through = ARGV[1] == '' and last_generated(KEYS[1]) or ARGV[2]
local missing = n - tonumber(meta[2] or 0)
local low, high = string.match(trimmed, '^%d+'), string.match(through, '^%d+')
-- count_erased(set) returns how many IDs in the set are after `trimmed`, up to and including `through`.
local function count_erased(set)
  local count = redis.call('ZCOUNT', set, '(' .. low, '(' .. high)
  for _, moment in ipairs(low == high and {low} or {low, high}) do
    for _, id in ipairs(redis.call('ZRANGEBYSCORE', set, moment, moment)) do
      if before(trimmed, id) and not before(through, id) then count = count + 1 end
    end
  end
  return count
end
if missing > 0 then missing = missing - count_erased(KEYS[3]) - count_erased(KEYS[4]) end
if missing <= 0 then return {meta[1] or '0-0', ''} end
redis.pcall('HSET', KEYS[2], 'trimmed', through, 'trimmed_n', n) -- may fail if Redis is full
return {through, '1'}
