-- Decides what a user may append to a room. Needs lib.lua.

-- is_hidden(name) reports whether only members may see the room. See IsHidden in access.go.
local function is_hidden(name)
  return #name == 21 and string.match(name, '^[pd][a-z2-7]+$') ~= nil
end

-- member(members, uid) returns the user's role in the room, the ID of the entry that made them a
-- member, and the time until which they are muted, in ms. The role is nil if they are not a member. For
-- a former member, the ID is that of the entry that removed them. They may still be muted.
local function member(members, uid)
  local value = redis.call('HGET', members, uid)
  if not value then return nil end
  local role, since, muted = string.match(value, '^(%S+) (%S+) (%d*)$')
  return role ~= 'none' and role or nil, since, tonumber(muted) or 0
end

-- change_member(room, members, id, new) applies an entry of kind 'member' with the given ID and fields. For a
-- former member, the hash keeps the ID of the entry that removed them, because their readers must stop there. It
-- also keeps the mute of a member who leaves a hidden room, so that rejoining does not lift it.
local function change_member(room, members, id, new)
  local role, since, muted = member(members, new.member)
  if not role or new.role == 'none' then since = id end
  if new.muted and new.muted ~= '' then
    muted = new.muted
  elseif role and new.role ~= 'none' or not is_hidden(room) or (muted or 0) <= clock() then
    muted = ''
  else
    muted = string.format('%.0f', muted)
  end
  redis.call('HSET', members, new.member, new.role .. ' ' .. since .. ' ' .. muted)
end

-- look_up(name, meta, members, uid, rank) returns the room and the actor for refuse().
local function look_up(name, meta, members, uid, rank)
  local found = redis.call('HMGET', meta, 'kind', 'archived', 'locked')
  local role, _, muted = member(members, uid)
  return {name = name, kind = found[1], archived = found[2], locked = found[3]},
    {uid = uid, rank = rank, role = role, muted = muted or 0}
end

-- moderates(actor) reports whether the actor may moderate the room. It assumes that they may see it.
local function moderates(actor)
  return actor.rank == 'owner' or actor.rank == 'moderator' or actor.role == 'moderator'
end

-- is_post lists the kinds that are refused if the room is archived or locked, or the user is muted.
local is_post = {message = true, edit = true, react = true, topic = true}

-- refuse(room, actor, kind, new, members) returns the reason why the actor may not append an entry, or nil if
-- they may. It does not check who wrote the message that an edit or a deletion changes.
--   room   a table with its name, and with kind, archived and locked from meta
--   actor  a table with their uid, their role in the room, the end of their mute, and their rank on the server
--   new    the fields of the entry
local function refuse(room, actor, kind, new, members)
  local hidden = is_hidden(room.name)
  if hidden and not (room.kind and actor.role) then return 'hidden' end
  local is_owner, is_moderator = actor.rank == 'owner', moderates(actor)
  if is_post[kind] then
    if room.archived == '1' then return 'archived' end
    if room.locked == '1' and not is_moderator then return 'locked' end
    if actor.muted > 0 and actor.muted > clock() then return 'muted' end
  end
  if kind == 'room' then
    if room.kind == 'direct' then return 'direct' end
    return not is_moderator and 'not_moderator' or nil
  end
  if kind ~= 'member' then return nil end

  if room.kind == 'direct' then return 'direct' end
  local role, _, muted = member(members, new.member)
  if new.role == 'none' then
    if not role then return 'no_member' end
    -- The actor leaves. In a public room, only moderators can. Anyone else in its hash is there because they
    -- were muted, and must not be able to lift the mute by leaving.
    if new.member == actor.uid and (hidden or role == 'moderator') then return nil end
    if role == 'moderator' and not is_owner then return 'not_owner' end
    return not is_moderator and 'not_moderator' or nil
  end
  if (new.role == 'moderator') ~= (role == 'moderator') and not is_owner then return 'not_owner' end
  -- Every member of a hidden room may add people, but not change existing members.
  local is_invite = hidden and not role and new.role == 'member' and not new.muted
  return not (is_invite or is_moderator) and 'not_moderator' or nil
end
