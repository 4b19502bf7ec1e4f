-- Reads ranges of a room's messages in their current state. Needs lib.lua and rights.lua.
--
-- KEYS  1 room  2 meta  3 amended  4 erased  5 runs  6 erased_edits (not used)  7 members
-- ARGV  1 ID of the user, who must be a member, or '' if the room is not hidden
--       2, 3, 4, ... for each range: 'older' or 'newer', the bound at which to start (in the syntax of
--       XRANGE), the number of messages to return
-- Reply 'hidden' if the user is not a member, or {epoch, last entry ID, '1' if messages were trimmed and a
--       range reached the oldest one that is left, else '', range, ...}. The epoch is '' if the room
--       does not exist. A range is {messages, tombstones, rest, number of entries examined}. A message is
--       {ID, fields, state or ''}, a tombstone is {ID, state}, and rest is the bound at which to
--       continue, or '' at the end. There may be more tombstones than requested, in any order, and
--       messages and tombstones may be beyond rest. The caller merges them and drops the excess.
--
-- Reactions, edits and other entries are in the same stream. The script skips a run of more than
-- 8 of them. For each message that ended such a run, `runs` has an entry with the message's ID,
-- whose `from` is the message before the run. `message` in meta is the message before the run
-- at the end of the stream. Older releases do not record runs.

-- max_examined is roughly how many entries, and how many erased IDs, the script examines for each range.
-- If it reaches this limit, it returns fewer messages, and the caller can continue from rest.
local max_examined = 1000

if ARGV[1] ~= '' and not member(KEYS[7], ARGV[1]) then return 'hidden' end

local function value(fields, name)
  for i = 1, #fields, 2 do
    if fields[i] == name then return fields[i + 1] end
  end
end

local meta = redis.call('HMGET', KEYS[2], 'epoch', 'trimmed', 'message', 'message_m', 'messages')

-- skip(older, entry) returns the ID of the next message, in reading order, after the run to which the
-- entry belongs. It returns an ID past the end of the stream if there is no such message, or nil if the
-- run is not recorded.
local function skip(older, entry)
  local id = entry[1]
  local run = redis.call('XRANGE', KEYS[5], id, '+', 'COUNT', 1)[1]
  if run then
    local from = value(run[2], 'from')
    if value(run[2], 'epoch') ~= meta[1] or not before(from, id) then return nil end
    return older and from or run[1]
  end
  local last = meta[3]
  if not last or meta[4] ~= value(entry[2], 'm') or not before(last, id) then return nil end
  if not older and meta[4] ~= meta[5] then return nil end
  return older and last or '18446744073709551615-18446744073709551615'
end

-- messages() returns three values: up to limit messages from bound to far; the bound at which to continue, or
-- '' at the end; and the number of entries that it examined.
local function messages(older, bound, far, limit)
  local found, examined, other, from, count = {}, 0, 0, bound, limit + 1
  while true do
    local chunk
    if older then
      chunk = redis.call('XREVRANGE', KEYS[1], from, far or '-', 'COUNT', count)
    else
      chunk = redis.call('XRANGE', KEYS[1], from, far or '+', 'COUNT', count)
    end
    examined = examined + #chunk
    for _, entry in ipairs(chunk) do
      from = '(' .. entry[1]
      if value(entry[2], 'kind') == 'message' then
        if #found == limit then return found, '(' .. found[limit][1], examined end
        table.insert(found, {entry[1], entry[2], redis.call('HGET', KEYS[3], entry[1]) or ''})
        other = 0
      else
        other = other + 1 -- entries since the last message
      end
    end
    if #chunk < count then return found, far and '(' .. far or '', examined end
    if examined >= max_examined then return found, from, examined end
    local target = other >= 8 and skip(older, chunk[#chunk])
    if target then from, other = target, 0 end
    count = math.min(math.max(limit + 1 - #found, other), 250)
  end
end

local function millis(bound) return string.match(bound, '%d+') end

-- tombstones() returns more than limit tombstones from bound on, if there are that many. It returns all
-- or none of the tombstones of a millisecond. It also returns the last ID that it covered, or nil if it
-- reached the end, and the number of IDs that it examined.
local function tombstones(older, bound, limit)
  local near, start, found, examined, last = millis(bound), string.match(bound, '%d+%-%d+'), {}, 0, nil
  local function is_beyond(id) -- reports whether id is before the bound in reading order
    return start and (older and before(start, id) or not older and before(id, start))
  end
  local function collect(from, to, offset, count)
    local ids = redis.call(older and 'ZREVRANGEBYSCORE' or 'ZRANGEBYSCORE', KEYS[4],
      from, to, 'LIMIT', offset, count)
    for _, id in ipairs(ids) do
      local state = redis.call('HGET', KEYS[3], id)
      if state and not is_beyond(id) then table.insert(found, {id, state}) end
      last = id
    end
    return #ids
  end
  near = near or (older and '+inf' or '-inf')
  local far, batch = older and '-inf' or '+inf', math.min(limit + 1, 250)
  repeat
    local count = collect(near, far, examined, batch)
    examined = examined + count
    if count < batch then return found, nil, examined end
  until #found > limit or examined >= max_examined
  local moment = millis(last)
  collect(moment, moment, 0, -1) -- the rest of the millisecond; reads some IDs twice
  return found, moment .. (older and '-0' or '-18446744073709551615'), examined
end

-- If another program deleted only the stream, the room's other keys belong to a lost history and must
-- not be read.
if redis.call('EXISTS', KEYS[1]) == 0 then
  local reply = {'', '0-0', ''}
  for _ = 2, #ARGV, 3 do table.insert(reply, {{}, {}, '', 0}) end
  return reply
end

-- was_trimmed() reports whether the room once had messages that are neither in the stream nor erased.
-- Each entry has the number of messages up to it, unless an older release appended it.
local function was_trimmed()
  local first = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
  if not first then return tonumber(meta[5] or 0) > redis.call('ZCARD', KEYS[4]) end
  local m = tonumber(value(first[2], 'm') or value(first[2], 'n') or 1)
  if value(first[2], 'kind') == 'message' or not value(first[2], 'm') then m = m - 1 end
  local erased = redis.call('ZCOUNT', KEYS[4], '-inf', '(' .. millis(first[1]))
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[4], millis(first[1]), millis(first[1]))) do
    if before(id, first[1]) then erased = erased + 1 end
  end
  return m > erased
end

local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
local reply = {meta[1] or '', last and last[1] or meta[2] or '0-0', ''}
for i = 2, #ARGV, 3 do
  local older, bound, limit = ARGV[i] == 'older', ARGV[i + 1], tonumber(ARGV[i + 2])
  local gone, far, examined_ids = tombstones(older, bound, limit)
  local found, rest, examined = messages(older, bound, far, limit)
  if older and rest == '' and was_trimmed() then reply[3] = '1' end
  table.insert(reply, {found, gone, rest, examined + examined_ids})
end
return reply
