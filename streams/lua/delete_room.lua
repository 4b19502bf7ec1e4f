-- Deletes a room with all its entries, for an owner. Needs lib.lua and rights.lua.
--
-- KEYS  1 room  2 meta  3 amended  4 erased  5 runs  6 erased_edits  7 activity  8 rooms or hidden
--       9 members  10 present
-- ARGV  1 room's name  2 user ID  3 user's rank
-- Reply {'deleted', member's user ID, ...} or {'hidden' | 'no_room' | 'not_owner'}

local hidden = is_hidden(ARGV[1])
if hidden and not member(KEYS[9], ARGV[2]) then return {'hidden'} end
if redis.call('EXISTS', KEYS[1]) == 0 then return {hidden and 'hidden' or 'no_room'} end
if ARGV[3] ~= 'owner' then return {'not_owner'} end

local reply = redis.call('HKEYS', KEYS[9])
table.insert(reply, 1, 'deleted')
redis.call('DEL', KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[9], KEYS[10])
redis.call('ZREM', KEYS[8], ARGV[1])
redis.call('XADD', KEYS[7], 'MAXLEN', '~', 1000, '*', 'room', ARGV[1], 'deleted', '1')
return reply
