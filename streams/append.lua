-- Appends one entry to a room, once for each send key. trim.lua stands before it.
--
-- KEYS  1 room  2 meta  3 amended  4 erased  5 activity  6 rooms  7 sent:<key>
-- ARGV  1 room's name  2 an epoch, should the room begin now  3 how long the key
--       is remembered, ms  4 entries to keep  5 age to keep, ms
--       6 kind  7 key  8 user ID  9 user's name
--       10 text, or emoji  11 replied-to or amended entry ID, or ''  12 '1': on
--       13 second part of the new entry's ID, if its millisecond has no other
-- Reply {'stored' or 'repeated', entry ID, epoch}, or
--       {'not_found' | 'not_yours' | 'key_taken' | 'too_many'}

local name, kind, key, uid, author = ARGV[1], ARGV[6], ARGV[7], ARGV[8], ARGV[9]
local text, of, on = ARGV[10], ARGV[11], ARGV[12]

local meta = redis.call('HMGET', KEYS[2], 'epoch', 'n', 'messages', 'trimmed')
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

-- A key of a lost history is no proof that this one has the entry.
local sent = redis.call('GET', KEYS[7])
if sent and begun then
  local id, of_epoch, by = string.match(sent, '^(%S+) (%S+) (.*)$')
  if of_epoch == epoch then
    local entry = fields(id)
    if by ~= uid or entry and entry.kind ~= kind then return {'key_taken'} end
    -- A write, so that a WAIT after this waits for the entry as well.
    redis.call('PEXPIRE', KEYS[7], ARGV[3])
    return {'repeated', id, epoch}
  end
end

local function message(id)
  local entry = fields(id)
  return entry and entry.kind == 'message' and entry or nil
end

local function at_or_before(a, b)
  local ams, aseq = parts(a)
  local bms, bseq = parts(b)
  return ams < bms or ams == bms and aseq <= bseq
end

-- A reply may answer what is erased or trimmed, but not what never was.
local function known(id)
  return redis.call('ZSCORE', KEYS[4], id) or message(id)
    or meta[4] and at_or_before(id, meta[4])
end

if begun then
  local most, since = tonumber(ARGV[4]), oldest(tonumber(ARGV[5]))
  meta[4] = trim(KEYS[1], KEYS[2], KEYS[3], KEYS[4], length, most, since) or meta[4]
end

local target, state
if kind == 'message' then
  if of ~= '' and not known(of) then return {'not_found'} end
elseif kind ~= 'topic' then
  target = of ~= '' and message(of)
  if not target then return {'not_found'} end
  if kind ~= 'react' and target.uid ~= uid then return {'not_yours'} end
  state = cjson.decode(redis.call('HGET', KEYS[3], of) or '{}')
end

-- react: who has put which emoji there, in the order they came.
local function react()
  local all, kinds = state.r or {}, 0
  local users = {}
  for _, user in ipairs(all[text] or {}) do
    if user ~= uid then table.insert(users, user) end
  end
  if on == '1' then table.insert(users, uid) end
  all[text] = #users > 0 and users or nil
  for _ in pairs(all) do kinds = kinds + 1 end
  state.r = kinds > 0 and all or nil
  return kinds <= 50
end

if kind == 'react' and not react() then return {'too_many'} end

if not begun then
  -- The stream is not there: a new room, or one that somebody deleted. What is
  -- left of an old one must not speak for the new. (No DEL of nothing: a script
  -- that has written is no longer refused when Redis is full.)
  if redis.call('EXISTS', KEYS[2], KEYS[3], KEYS[4]) > 0 then
    redis.call('DEL', KEYS[2], KEYS[3], KEYS[4])
  end
  epoch, n, messages = ARGV[2], 0, 0
elseif not epoch then
  epoch = ARGV[2]
  local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
  n = last and number(last[2]) or 0
end
-- XDEL needs no memory: as the first write it lets a delete through a full Redis.
local function erase(gone)
  redis.call('XDEL', KEYS[1], gone)
  redis.call('ZADD', KEYS[4], string.match(gone, '^%d+'), gone)
end
if kind == 'delete' then
  erase(of)
  for _, edit in ipairs(state.e or {}) do erase(edit) end
end

-- Somebody else trimmed all there was. How far that went shows for the last time.
if begun and length == 0 and n > 0 then
  local through = ended(KEYS[1])
  if through then redis.call('HSET', KEYS[2], 'trimmed', through, 'trimmed_n', n) end
end

n = n + 1
if kind == 'message' then messages = messages + 1 end
redis.call('HSET', KEYS[2], 'epoch', epoch, 'n', n, 'messages', messages)

local entry = {'kind', kind, 'n', n, 'key', key, 'uid', uid, 'name', author}
local function put(field, value) table.insert(entry, field); table.insert(entry, value) end
if kind == 'message' then
  put('text', text)
  if of ~= '' then put('re', of) end
elseif kind == 'topic' then
  put('text', text)
  redis.call('HSET', KEYS[2], 'topic', text)
else
  put('of', of)
  if kind == 'edit' then put('text', text) end
  if kind == 'react' then put('emoji', text); put('on', on) end
end
-- While a failover lasts two primaries may both take entries in. An ID that both had
-- given in one millisecond would stand for either: what a client missed would not show.
local own = string.format('%.0f', clock()) .. '-' .. ARGV[13]
local id = redis.pcall('XADD', KEYS[1], own, unpack(entry))
if type(id) ~= 'string' then id = redis.call('XADD', KEYS[1], '*', unpack(entry)) end
local millis = string.match(id, '^%d+')
if not begun then redis.call('HSET', KEYS[2], 'created', millis) end

if kind == 'edit' then
  state.t, state.e = text, state.e or {}
  table.insert(state.e, id)
elseif kind == 'delete' then
  state = {d = id, n = target.n, k = target.key, u = target.uid, a = target.name, re = target.re}
end
if state then
  redis.call('HSET', KEYS[3], of, cjson.encode(state))
end

redis.call('SET', KEYS[7], id .. ' ' .. epoch .. ' ' .. uid, 'PX', ARGV[3])
redis.call('XADD', KEYS[5], 'MAXLEN', '~', 1000, '*', 'room', name, 'at', id .. '@' .. epoch)
redis.call('ZADD', KEYS[6], millis, name)
return {'stored', id, epoch}
