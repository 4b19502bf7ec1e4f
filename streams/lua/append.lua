-- Appends one entry to a room, once for each send key. Needs lib.lua and trim.lua.
--
-- KEYS  1 room  2 meta  3 amended  4 erased  5 runs  6 activity  7 rooms  8 sent:<key>
-- ARGV  1 room's name  2 the epoch if the room begins now
--       3 second part of the new ID, unless its millisecond has an entry already
--       4 how long to remember the key, in ms
--       5 how many entries to keep, 0 for all  6 for how long, in ms, 0 for ever
--       7 kind  8 key  9 user ID  10 user's name
--       11 and on: the fields of the kind (see kinds.go), name and value in turn
-- Reply {'stored' or 'repeated', entry ID, epoch}, or
--       {'not_found' | 'not_yours' | 'key_taken' | 'too_many'}

local name, kind, key, uid, author = ARGV[1], ARGV[7], ARGV[8], ARGV[9], ARGV[10]
local new = {}
for i = 11, #ARGV, 2 do new[ARGV[i]] = ARGV[i + 1] end

local meta = redis.call('HMGET', KEYS[2], 'epoch', 'n', 'messages', 'trimmed',
  'message', 'message_n', 'message_m') -- the last message, its n and m
local epoch, n, messages = meta[1], tonumber(meta[2] or 0), tonumber(meta[3] or 0)
local length = redis.call('XLEN', KEYS[1])
local begun = length > 0 or redis.call('EXISTS', KEYS[1]) == 1

local function fields(id)
  local found = redis.call('XRANGE', KEYS[1], id, id)[1]
  if not found then return nil end
  local entry = {}
  for i = 1, #found[2], 2 do entry[found[2][i]] = found[2][i + 1] end
  return entry
end

-- A key stored under another epoch does not prove that this history has the entry.
local sent = redis.call('GET', KEYS[8])
if sent and begun then
  local id, of_epoch, by = string.match(sent, '^(%S+) (%S+) (.*)$')
  if of_epoch == epoch then
    local entry = fields(id)
    if by ~= uid or entry and entry.kind ~= kind then return {'key_taken'} end
    -- This must write, or a WAIT after it would not wait for the entry.
    redis.call('PEXPIRE', KEYS[8], ARGV[4])
    return {'repeated', id, epoch}
  end
end

local function message(id)
  local entry = fields(id)
  return entry and entry.kind == 'message' and entry or nil
end

-- A reply may refer to an erased or trimmed message, but not to one that never existed.
local function known(id)
  return redis.call('ZSCORE', KEYS[4], id) or message(id)
    or meta[4] and not before(meta[4], id)
end

if begun then
  local most, since = tonumber(ARGV[5]), oldest(tonumber(ARGV[6]))
  meta[4] = trim(KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], length, most, since) or meta[4]
end

-- What each kind requires. An edit, a reaction and a deletion have a target, the message
-- `of`, whose state in `amended` they change.
local target, state
if kind == 'message' then
  if new.re and not known(new.re) then return {'not_found'} end
elseif kind ~= 'topic' then
  target = new.of and new.of ~= '' and message(new.of)
  if not target then return {'not_found'} end
  if kind ~= 'react' and target.uid ~= uid then return {'not_yours'} end
  state = cjson.decode(redis.call('HGET', KEYS[3], new.of) or '{}')
end

-- react() adds the user to the emoji's users, in the order they reacted, or removes them.
-- It reports whether the message has at most 50 different reactions.
local function react()
  local all, kinds = state.r or {}, 0
  local users = {}
  for _, user in ipairs(all[new.emoji] or {}) do
    if user ~= uid then table.insert(users, user) end
  end
  if new.on == '1' then table.insert(users, uid) end
  all[new.emoji] = #users > 0 and users or nil
  for _ in pairs(all) do kinds = kinds + 1 end
  state.r = kinds > 0 and all or nil
  return kinds <= 50
end

if kind == 'react' and not react() then return {'too_many'} end

if not begun then
  -- The room is new, or another program deleted its stream. Remains of the old history must not
  -- be taken for the new one's. DEL runs only if there are any: after a first write that
  -- needs no memory, a full Redis would let the rest of the script through.
  if redis.call('EXISTS', KEYS[2], KEYS[3], KEYS[4], KEYS[5]) > 0 then
    redis.call('DEL', KEYS[2], KEYS[3], KEYS[4], KEYS[5])
  end
  epoch, n, messages, meta = ARGV[2], 0, 0, {}
elseif not epoch then
  epoch = ARGV[2]
  local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
  n = last and number(last[2]) or 0
end

-- XDEL needs no memory: as the first write it lets a deletion through a full Redis.
local function erase(id)
  redis.call('XDEL', KEYS[1], id)
  redis.call('ZADD', KEYS[4], string.match(id, '^%d+'), id)
end
if kind == 'delete' then
  erase(new.of)
  for _, edit in ipairs(state.e or {}) do erase(edit) end
end

-- Another program trimmed every entry. XADD is about to overwrite the record of how far.
if begun and length == 0 and n > 0 then
  local through = last_generated(KEYS[1])
  if through then redis.call('HSET', KEYS[2], 'trimmed', through, 'trimmed_n', n) end
end

n = n + 1
if kind == 'message' then messages = messages + 1 end
local n_text, m_text = string.format('%.0f', n), string.format('%.0f', messages)
local entry = {'kind', kind, 'n', n_text, 'm', m_text, 'key', key, 'uid', uid, 'name', author,
  unpack(ARGV, 11)}
-- During a failover two primaries may accept entries. If both gave the same ID to different
-- entries, a client could not tell which one it has seen. Hence the random second part.
local own = string.format('%.0f', clock()) .. '-' .. ARGV[3]
local id = redis.pcall('XADD', KEYS[1], own, unpack(entry))
if type(id) ~= 'string' then id = redis.call('XADD', KEYS[1], '*', unpack(entry)) end
local millis = string.match(id, '^%d+')
if not begun then
  redis.call('HSET', KEYS[2], 'created', millis, 'message', '0-0', 'message_n', 0, 'message_m', 0)
end
if kind == 'message' then
  -- It may end a run of other entries, which page.lua then need not read. message_m shows whether
  -- `message` really is the one before: a server of an older release does not record it.
  if tonumber(meta[7]) == messages - 1 and n - meta[6] > 8 then
    redis.pcall('XADD', KEYS[5], id, 'from', meta[5], 'epoch', epoch)
  end
  redis.call('HSET', KEYS[2], 'epoch', epoch, 'n', n_text, 'messages', m_text,
    'message', id, 'message_n', n_text, 'message_m', m_text)
else
  redis.call('HSET', KEYS[2], 'epoch', epoch, 'n', n_text, 'messages', m_text)
end

-- What else each kind changes.
if kind == 'topic' then
  redis.call('HSET', KEYS[2], 'topic', new.text)
elseif kind == 'edit' then
  state.t, state.e = new.text, state.e or {}
  table.insert(state.e, id)
elseif kind == 'delete' then
  state = {d = id, n = target.n, k = target.key, u = target.uid, a = target.name, re = target.re}
end
if state then
  redis.call('HSET', KEYS[3], new.of, cjson.encode(state))
end

redis.call('SET', KEYS[8], id .. ' ' .. epoch .. ' ' .. uid, 'PX', ARGV[4])
redis.call('XADD', KEYS[6], 'MAXLEN', '~', 1000, '*', 'room', name, 'at', id .. '@' .. epoch)
redis.call('ZADD', KEYS[7], millis, name)
return {'stored', id, epoch}
