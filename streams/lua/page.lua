-- Reads ranges of a room's messages in their current state, all at one moment.
--
-- KEYS  1 room  2 meta  3 amended  4 erased
-- ARGV  for each range: 'older' or 'newer', the bound to start from as XRANGE
--       takes it, how many messages
-- Reply {epoch, last entry ID, range, …}. A range is {messages, tombstones, rest}, a
--       message {ID, fields, state or ''}, a tombstone {ID, state}, and rest the bound
--       to continue from, '' at the end. There may be more tombstones than asked for,
--       unordered, and messages and tombstones beyond rest: the caller merges and
--       cuts. The epoch is '' if there is no such room.

-- A long run of reactions or of erased edits must not block Redis: a call examines
-- at most this many.
local at_most = 4000

local function is_message(fields)
  for i = 1, #fields, 2 do
    if fields[i] == 'kind' then return fields[i + 1] == 'message' end
  end
  return false
end

local function messages(older, bound, most)
  local found, scanned, from = {}, 0, bound
  while true do
    local chunk
    if older then
      chunk = redis.call('XREVRANGE', KEYS[1], from, '-', 'COUNT', most + 1)
    else
      chunk = redis.call('XRANGE', KEYS[1], from, '+', 'COUNT', most + 1)
    end
    for _, entry in ipairs(chunk) do
      if is_message(entry[2]) then
        if #found == most then return found, '(' .. found[most][1] end
        table.insert(found, {entry[1], entry[2], redis.call('HGET', KEYS[3], entry[1]) or ''})
      end
      from = '(' .. entry[1]
    end
    scanned = scanned + #chunk
    if #chunk <= most then return found, '' end
    if scanned >= at_most then return found, from end
  end
end

local function millis(bound) return string.match(bound, '%d+') end

-- tombstones() returns the tombstones from the bound to rest, in whole milliseconds. It stops
-- when there are enough. If it examined too many, it returns a rest nearer to the bound.
local function tombstones(older, bound, rest, most)
  local near, far = millis(bound), millis(rest)
  local found, looked, last = {}, 0, nil
  local function look(from, to, offset, count)
    local ids = redis.call(older and 'ZREVRANGEBYSCORE' or 'ZRANGEBYSCORE', KEYS[4],
      from, to, 'LIMIT', offset, count)
    for _, id in ipairs(ids) do
      local state = redis.call('HGET', KEYS[3], id)
      if state then table.insert(found, {id, state}) end
      last = id
    end
    return #ids
  end
  near, far = near or (older and '+inf' or '-inf'), far or (older and '-inf' or '+inf')
  repeat
    local count = look(near, far, looked, 500)
    looked = looked + count
    if count < 500 then return found, rest end
  until #found > most or looked >= at_most
  local enough = #found > most
  local moment = millis(last)
  look(moment, moment, 0, -1) -- the rest of its millisecond; some are read twice
  if enough then return found, rest end
  return found, older and '(' .. moment .. '-0' or '(' .. moment .. '-18446744073709551615'
end

-- If another program deleted only the stream, the room's other keys remain. They belong to
-- the lost history.
if redis.call('EXISTS', KEYS[1]) == 0 then
  local reply = {'', '0-0'}
  for _ = 1, #ARGV, 3 do table.insert(reply, {{}, {}, ''}) end
  return reply
end

local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
local meta = redis.call('HMGET', KEYS[2], 'epoch', 'trimmed')
local reply = {meta[1] or '', last and last[1] or meta[2] or '0-0'}
for i = 1, #ARGV, 3 do
  local older, bound, most = ARGV[i] == 'older', ARGV[i + 1], tonumber(ARGV[i + 2])
  local found, rest = messages(older, bound, most)
  local gone
  gone, rest = tombstones(older, bound, rest, most)
  table.insert(reply, {found, gone, rest})
end
return reply
