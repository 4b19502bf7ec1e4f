-- Moves a user's read marker in a room forward, but never back. Needs lib.lua.
--
-- KEYS  1 the user's read markers
-- ARGV  1 room's name  2 the entry ID to move the marker to
-- Reply 1 if the marker moved, else 0
--
-- A user has up to 500 markers. Adding another removes the oldest 50.

local old = redis.call('HGET', KEYS[1], ARGV[1])
if old and not before(old, ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
if not old and redis.call('HLEN', KEYS[1]) > 500 then
  local all, markers = redis.call('HGETALL', KEYS[1]), {}
  for i = 1, #all, 2 do
    table.insert(markers, {all[i], tonumber(string.match(all[i + 1], '^%d+'))})
  end
  table.sort(markers, function(a, b) return a[2] < b[2] end)
  for i = 1, #markers - 450 do
    if markers[i][1] ~= ARGV[1] then redis.call('HDEL', KEYS[1], markers[i][1]) end
  end
end
return 1
