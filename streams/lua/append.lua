-- Appends one entry to a room, once for each idempotency key. Needs lib.lua, rights.lua, reactions.lua
-- and trim.lua.
--
-- KEYS  1 room  2 meta  3 amended  4 erased  5 runs  6 erased_edits  7 activity  8 rooms or hidden
--       9 sent:<key>  10 members
--       of a deletion and of a message with files: 11 files  12, ... the message's files: first those it has
--       attached, then the picture of its preview
-- ARGV  1 room's name  2 the epoch to use if the room is new
--       3 second part of the new ID, if the ID's millisecond has no entry yet
--       4 how long to remember the idempotency key, in ms
--       5 how many entries to keep, or 0 for all  6 how long to keep them in ms, or 0 forever
--       7 kind  8 idempotency key  9 user ID  10 user's name
--       11 '1' if the entry may begin a room, else ''
--       12 user's rank: 'owner', 'moderator', or '' for all others
--       13, 14, ... name and value of each field of the kind (see kinds.go). The value of `files` is a
--       JSON array with the alternative text of each attached file
-- Reply {'stored' or 'repeated', entry ID, epoch}. If a deletion was stored, three values follow: '1' if the
--       message had files, else ''; and the ID and the name of its author, or '' and '' if that is the user.
--       If the entry is refused: {'not_found' | 'not_yours' | 'key_taken' | 'too_many' | 'too_many_users' |
--       'no_room' | 'no_file'}, or the reason from refuse() in rights.lua

local name, kind, key, uid, author = ARGV[1], ARGV[7], ARGV[8], ARGV[9], ARGV[10]
local new = {}
for i = 13, #ARGV, 2 do new[ARGV[i]] = ARGV[i + 1] end

-- In Redis, an entry's n is its number in the room, and m the number of messages up to it. The last
-- message is stored with its ID (message), message_n and message_m.
local meta = redis.call('HMGET', KEYS[2], 'epoch', 'n', 'messages', 'trimmed',
  'message', 'message_n', 'message_m',
  'restricted') -- absent in most rooms
local epoch, last_number, message_count = meta[1], tonumber(meta[2] or 0), tonumber(meta[3] or 0)
local length = redis.call('XLEN', KEYS[1])
local room_exists = length > 0 or redis.call('EXISTS', KEYS[1]) == 1

-- Check rights first: a user who may not see a room must learn nothing about it.
-- Most rooms have neither members nor settings.
local settings, actor, denied = {name = name}, {uid = uid, rank = ARGV[12], muted = 0}, nil
local restricted = meta[8] or is_hidden(name)
if restricted then settings, actor = look_up(name, KEYS[2], KEYS[10], uid, ARGV[12]) end
if restricted or kind == 'member' or kind == 'room' then
  denied = refuse(settings, actor, kind, new, KEYS[10])
end
if denied == 'hidden' then return {denied} end

local function fields(id)
  local found = redis.call('XRANGE', KEYS[1], id, id)[1]
  if not found then return nil end
  local entry = {}
  for i = 1, #found[2], 2 do entry[found[2][i]] = found[2][i + 1] end
  return entry
end

-- An idempotency key from another epoch does not count, because this history may not have its entry.
local sent = redis.call('GET', KEYS[9])
if sent and room_exists then
  local id, of_epoch, by = string.match(sent, '^(%S+) (%S+) (.*)$')
  if of_epoch == epoch then
    local entry = fields(id)
    if by ~= uid or entry and entry.kind ~= kind then return {'key_taken'} end
    -- Without a write here, a WAIT after the script would not wait for the entry.
    redis.call('PEXPIRE', KEYS[9], ARGV[4])
    return {'repeated', id, epoch}
  end
end
if denied then return {denied} end

-- message(id) returns the fields of the message with the ID, or nil if there is none.
local function message(id)
  local entry = fields(id)
  return entry and entry.kind == 'message' and entry or nil
end

-- existed(id) reports whether the message exists, or did before it was erased or trimmed. Users may reply
-- to any of these.
local function existed(id)
  return redis.call('ZSCORE', KEYS[4], id) or message(id)
    or meta[4] and not before(meta[4], id)
end

if room_exists then
  local most, since = tonumber(ARGV[5]), oldest(tonumber(ARGV[6]))
  meta[4] = trim(KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], length, most, since) or meta[4]
end

-- Check the requirements of each kind. Edits, reactions and deletions change the state of their target,
-- the message `of`. The state is in `amended`. message_state.go explains its short names.
local target, state
if kind == 'message' then
  if new.re and not existed(new.re) then return {'not_found'} end
  if #KEYS > 11 then
    -- Only the user who uploaded a file can send it, in the room to which it was uploaded, and only once, unless
    -- the room has lost the message that had it.
    local alts, files, picture = cjson.decode(new.files or '[]'), {}, nil
    for i = 12, #KEYS do
      local file = redis.call('HMGET', KEYS[i], 'room', 'uid', 'json', 'entry', 'removed')
      local is_sent = file[4] and fields(file[4])
      if file[1] ~= name or file[2] ~= uid or is_sent or file[5] then return {'no_file'} end
      local json, alt = file[3], alts[i - 11]
      if alt and alt ~= '' then json = string.sub(json, 1, -2) .. ',"alt":' .. cjson.encode(alt) .. '}' end
      if alt then table.insert(files, json) else picture = json end
    end
    for i = 13, #ARGV, 2 do
      if ARGV[i] == 'files' then
        ARGV[i + 1] = '[' .. table.concat(files, ',') .. ']'
      elseif ARGV[i] == 'preview' and picture then
        ARGV[i + 1] = string.sub(ARGV[i + 1], 1, -2) .. ',"file":' .. picture .. '}'
      end
    end
  end
elseif kind == 'edit' or kind == 'react' or kind == 'delete' then
  target = new.of and new.of ~= '' and message(new.of)
  if not target then return {'not_found'} end
  if kind == 'edit' and target.uid ~= uid or kind == 'delete' and target.uid ~= uid and not moderates(actor) then
    return {'not_yours'}
  end
  state = cjson.decode(redis.call('HGET', KEYS[3], new.of) or '{}')
end

local reaction, refused
if kind == 'react' then
  reaction, refused = react(KEYS[3], new.of, state, new.emoji, uid, new.on == '1')
  if refused then return {refused} end
end

if not room_exists and ARGV[11] ~= '1' then return {'no_room'} end
if not room_exists then
  -- The room is new, or another program deleted its stream. The other keys of the old history must not
  -- become part of the new history. Run DEL only when it is needed. If a script begins with a write that
  -- needs no memory, such as DEL, a full Redis lets the whole script run, so it would not refuse this append.
  if redis.call('EXISTS', KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]) > 0 then
    redis.call('DEL', KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6])
  end
  if settings.kind then redis.call('HSET', KEYS[2], 'kind', settings.kind) end
  if actor.role then redis.call('HSET', KEYS[2], 'restricted', '1') end
  epoch, last_number, message_count, meta = ARGV[2], 0, 0, {}
elseif not epoch then
  epoch = ARGV[2]
  local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
  last_number = last and number(last[2]) or 0
end

-- XDEL must be the first write. It needs no memory, so a full Redis allows the deletion.
local function erase(id, erased)
  redis.call('XDEL', KEYS[1], id)
  redis.call('ZADD', erased, string.match(id, '^%d+'), id)
end
if kind == 'delete' then
  erase(new.of, KEYS[4])
  for _, edit in ipairs(state.e or {}) do erase(edit, KEYS[6]) end
end

-- A deletion makes the message's files due after 10 s. Until then, a failover may undo the deletion. If an
-- older release deletes the message, the files become due within a day.
local had_files = ''
if kind == 'delete' and (target.files or target.preview) then
  local function decode(json)
    local ok, value = pcall(cjson.decode, json or '[]')
    return ok and type(value) == 'table' and value or {}
  end
  local files = decode(target.files)
  files[#files + 1] = decode(target.preview).file
  for _, file in ipairs(files) do
    if type(file) == 'table' and type(file.id) == 'string' then
      redis.call('ZADD', KEYS[11], clock() + 10000, file.id)
      had_files = '1'
    end
  end
end

-- If another program trimmed all entries, only last-generated-id shows that. Record it before XADD
-- overwrites it.
if room_exists and length == 0 and last_number > 0 then
  redis.call('HSET', KEYS[2], 'trimmed', last_generated(KEYS[1]), 'trimmed_n', last_number)
end

local stored, from = ARGV, 13
if kind == 'room' then -- other settings do not change
  stored, from = {}, 1
  for _, setting in ipairs({'title', 'archived', 'locked'}) do
    new[setting] = new[setting] or redis.call('HGET', KEYS[2], setting) or ''
    table.insert(stored, setting)
    table.insert(stored, new[setting])
  end
end

local entry_number = last_number + 1
if kind == 'message' then message_count = message_count + 1 end
local n, m = string.format('%.0f', entry_number), string.format('%.0f', message_count)
local entry = {'kind', kind, 'n', n, 'm', m, 'key', key, 'uid', uid, 'name', author,
  unpack(stored, from)}
-- The second part of the ID is random, because two primaries may accept entries during a failover
-- and must not give different entries the same ID.
local wanted_id = string.format('%.0f', clock()) .. '-' .. ARGV[3]
local id = redis.pcall('XADD', KEYS[1], wanted_id, unpack(entry))
if type(id) ~= 'string' then id = redis.call('XADD', KEYS[1], '*', unpack(entry)) end
local millis = string.match(id, '^%d+')
if not room_exists then
  redis.call('HSET', KEYS[2], 'epoch', epoch, 'created', millis, 'message', '0-0', 'message_n', 0, 'message_m', 0)
elseif not meta[1] then
  redis.call('HSET', KEYS[2], 'epoch', epoch)
end
if kind == 'message' then
  -- If this message ends a run of other entries, record the run for page.lua. `message` may be outdated,
  -- because older releases do not set it. It is the message before the run only if message_m
  -- counts every earlier message.
  if tonumber(meta[7]) == message_count - 1 and entry_number - meta[6] > 8 then
    redis.pcall('XADD', KEYS[5], id, 'from', meta[5], 'epoch', epoch)
  end
  redis.call('HSET', KEYS[2], 'n', n, 'messages', m, 'message', id, 'message_n', n, 'message_m', m)
else
  redis.call('HSET', KEYS[2], 'n', n, 'messages', m)
end

for i = 12, #KEYS do redis.call('HSET', KEYS[i], 'entry', id) end

-- keep_edit(edit) records an edit, and erases all but the message's last 20 edits. This keeps the state
-- small, and limits the number of edits that a deletion must erase.
local function keep_edit(edit)
  local edits = state.e or {}
  table.insert(edits, edit)
  local excess = math.min(math.max(#edits - 20, 0), 500) -- an older release may have left thousands
  state.e = {}
  for i, one in ipairs(edits) do
    if i <= excess then erase(one, KEYS[6]) else table.insert(state.e, one) end
  end
end

-- Make the other changes for each kind.
if kind == 'topic' then
  redis.call('HSET', KEYS[2], 'topic', new.text)
elseif kind == 'member' then
  change_member(name, KEYS[10], id, new)
  redis.call('HSET', KEYS[2], 'restricted', '1')
elseif kind == 'room' then
  redis.call('HSET', KEYS[2], 'title', new.title, 'archived', new.archived, 'locked', new.locked, 'restricted', '1')
elseif kind == 'edit' then
  state.t = new.text
  keep_edit(id)
elseif kind == 'react' then
  store_lists(KEYS[3], reaction)
elseif kind == 'delete' then
  remove_lists(KEYS[3], new.of, state)
  state = {d = id, n = target.n, k = target.key, u = target.uid, a = target.name, re = target.re}
end
if state then
  redis.call('HSET', KEYS[3], new.of, cjson.encode(state))
end

redis.call('SET', KEYS[9], id .. ' ' .. epoch .. ' ' .. uid, 'PX', ARGV[4])
redis.call('XADD', KEYS[7], 'MAXLEN', '~', 1000, '*', 'room', name, 'at', id .. '@' .. epoch)
redis.call('ZADD', KEYS[8], millis, name)
if kind ~= 'delete' then return {'stored', id, epoch} end
if target.uid == uid then return {'stored', id, epoch, had_files, '', ''} end
return {'stored', id, epoch, had_files, target.uid, target.name}
