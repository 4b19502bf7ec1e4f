-- Functions for the reactions to a message.
--
-- In a message's state, r maps each emoji to user IDs in the order in which the users reacted, up to 50
-- in all. m maps each emoji to the number of other users who reacted. Their IDs are in lists in the
-- amended hash, in the fields '<message ID>/00' to '/ff', chosen by a hash of the user ID. A list has the
-- form '\n<emoji> <user ID>\n...\n'. A reaction therefore costs little, even after thousands of others.

local max_emoji, max_named, max_list = 50, 50, 16384

-- list_field(id, uid) returns the field of the list to which the user belongs.
local function list_field(id, uid) return id .. '/' .. string.sub(redis.sha1hex(uid), 1, 2) end

-- add_to(list, item) returns the list with the item added.
local function add_to(list, item) return (list ~= '' and list or '\n') .. item .. '\n' end

-- remove_from(list, item) returns the list without the item, or nil if the item is not in it.
local function remove_from(list, item)
  local from, to = string.find(list, '\n' .. item .. '\n', 1, true)
  return from and string.sub(list, 1, from) .. string.sub(list, to + 1)
end

-- count_named(r) returns the number of user IDs in r.
local function count_named(r)
  local count = 0
  for _, users in pairs(r) do count = count + #users end
  return count
end

-- add_more(state, emoji, n) adds n to the number of users who are not in r.
local function add_more(state, emoji, n)
  state.m = state.m or {}
  local count = (state.m[emoji] or 0) + n
  state.m[emoji] = count > 0 and count or nil
  if not next(state.m) then state.m = nil end
end

-- without_selectors(emoji) returns the emoji without variation selectors (U+FE0E and U+FE0F).
local function without_selectors(emoji) return (string.gsub(emoji, '\239\184[\142\143]', '')) end

-- stored_as(emoji, r, m) returns the spelling of the emoji in the state. Servers normalize variation
-- selectors, but an older release did not.
local function stored_as(emoji, r, m)
  if r[emoji] or m[emoji] then return emoji end
  for _, known in ipairs({r, m}) do
    for other in pairs(known) do
      if without_selectors(other) == without_selectors(emoji) then return other end
    end
  end
  return emoji
end

-- react(amended, id, state, emoji, uid, on) adds the user's reaction to the state of the message id, or
-- removes it. It does not write to Redis. It returns the changed lists for store_lists, or nil and an
-- error code if the reaction is refused.
local function react(amended, id, state, emoji, uid, on)
  local r, lists = state.r or {}, {}
  emoji = stored_as(emoji, r, state.m or {})
  local users, was_named = {}, false
  for _, user in ipairs(r[emoji] or {}) do
    if user == uid then was_named = true else table.insert(users, user) end
  end
  r[emoji] = #users > 0 and users or nil

  local field, item = list_field(id, uid), emoji .. ' ' .. uid
  local list = state.m and redis.call('HGET', amended, field) or ''
  local without = remove_from(list, item)
  if without and not on then
    lists[field] = without
    add_more(state, emoji, -1)
  elseif on and not without then
    if was_named or count_named(r) < max_named then
      table.insert(users, uid)
      r[emoji] = users
    elseif #list > max_list then
      return nil, 'too_many_users'
    else
      lists[field] = add_to(list, item)
      add_more(state, emoji, 1)
    end
  end

  local excess = count_named(r) - max_named -- an older release stored all users in r
  for other, named in pairs(excess > 0 and r or {}) do
    while excess > 0 and #named > 1 do
      local last = table.remove(named)
      local at = list_field(id, last)
      local known = lists[at] or redis.call('HGET', amended, at) or ''
      if not remove_from(known, other .. ' ' .. last) then
        lists[at] = add_to(known, other .. ' ' .. last)
        add_more(state, other, 1)
      end
      excess = excess - 1
    end
  end

  local kinds = 0
  for _ in pairs(r) do kinds = kinds + 1 end
  for other in pairs(state.m or {}) do
    if not r[other] then kinds = kinds + 1 end
  end
  if kinds > max_emoji then return nil, 'too_many' end
  state.r = next(r) and r or nil
  return lists
end

-- store_lists(amended, lists) writes the lists that react returned.
local function store_lists(amended, lists)
  for field, list in pairs(lists) do
    if #list > 1 then
      redis.call('HSET', amended, field, list)
    else
      redis.call('HDEL', amended, field)
    end
  end
end

-- remove_lists(amended, id, state) removes the message's lists of users who reacted.
local function remove_lists(amended, id, state)
  if not state.m then return end
  local fields = {}
  for i = 0, 255 do table.insert(fields, string.format('%s/%02x', id, i)) end
  redis.call('HDEL', amended, unpack(fields))
end

-- remove_state(amended, id) removes a message's state and its lists of users who reacted.
local function remove_state(amended, id)
  local state = redis.call('HGET', amended, id)
  if not state then return end
  -- A message's text cannot contain this string, because JSON escapes the quotation marks.
  if string.find(state, '"m":', 1, true) then remove_lists(amended, id, cjson.decode(state)) end
  redis.call('HDEL', amended, id)
end
