-- Records who is present in a room through a server, and signals the changes.
--
-- KEYS  1 present, a hash of user ID to {name, named, by = {server = true}}  2 activity
--       3 told, a key that exists for ARGV[5] ms after the number of people in a crowd is signaled
-- ARGV  1 room's name  2 server  3 mode: 'server_lost' removes everyone who is present
--       through the server; 'signal_count' signals the number of people if it is due; else ''
--       4 maximum number of people for signals that name them; more people are a crowd
--       5 minimum time between two signals with the number of people in a crowd, in ms
--       6, 7, ... for each person: 'here' or 'gone', user ID, and for 'here' the name and the
--       time at which the user chose it, in Unix seconds
-- Reply 1 if the caller must signal the number later, because a crowd changed less than ARGV[5] ms
--       after its number was signaled; else 0
--
-- A person may be present through several servers, and leaves when the last server removes them. If
-- their connections have several names, the latest one counts. Older releases ignore `named`, and
-- overwrite the name.

local present, server = KEYS[1], ARGV[2]
local signals = {}

local function signal(kind, uid, name)
  table.insert(signals, cjson.encode({kind = kind, uid = uid, name = name}))
end

local function here(uid, name, named)
  local known = redis.call('HGET', present, uid)
  local record = known and cjson.decode(known) or {by = {}}
  record.by[server] = true
  local isNew = not known
  if not record.named or named >= record.named then
    isNew = isNew or record.name ~= name
    record.name, record.named = name, named
  end
  redis.call('HSET', present, uid, cjson.encode(record))
  if isNew then signal('came', uid, name) end
end

local function gone(uid, known)
  local record = cjson.decode(known)
  record.by[server] = nil
  if next(record.by) then
    redis.call('HSET', present, uid, cjson.encode(record))
  else
    redis.call('HDEL', present, uid)
    signal('left', uid, record.name)
  end
end

if ARGV[3] == 'server_lost' then
  local all = redis.call('HGETALL', present)
  for i = 1, #all, 2 do gone(all[i], all[i + 1]) end
end
for i = 6, #ARGV, 4 do
  local known = redis.call('HGET', present, ARGV[i + 1])
  if ARGV[i] == 'here' then here(ARGV[i + 1], ARGV[i + 2], tonumber(ARGV[i + 3]))
  elseif known then gone(ARGV[i + 1], known) end
end

-- The readers of a crowded room receive the number of people, at most every ARGV[5] ms, instead of each
-- change. They receive it once more when the room is no longer crowded.
local count, due = redis.call('HLEN', present), 0
if #signals > 0 or ARGV[3] == 'signal_count' then
  local number = cjson.encode({kind = 'count', count = count})
  if count > tonumber(ARGV[4]) then
    signals = {}
    if ARGV[3] == 'server_lost' then redis.call('DEL', KEYS[3]) end
    if redis.call('SET', KEYS[3], '1', 'NX', 'PX', ARGV[5]) then
      signals = {number}
    elseif ARGV[3] ~= 'signal_count' then
      due = 1
    end
  elseif ARGV[3] == 'signal_count' or redis.call('EXISTS', KEYS[3]) == 1 then
    table.insert(signals, number)
  end
end
for _, encoded in ipairs(signals) do
  redis.call('XADD', KEYS[2], 'MAXLEN', '~', 1000, '*', 'room', ARGV[1], 'signal', encoded)
end
return due
