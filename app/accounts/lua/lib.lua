-- Functions for the scripts that concern one person. scripts.go puts this file before them.
--
-- KEYS  1 access  2 accounts  3 owners  4 bans  5 ended_guests
--       6 the person's account  7 their sessions  8 their passkeys  9 passkey_users
-- ARGV  1 the person's user ID
-- Reply a list that begins with a status. accounts.go lists the statuses.

local access, accounts, owners, bans, ended_guests = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local account, sessions, passkeys, passkey_users = KEYS[6], KEYS[7], KEYS[8], KEYS[9]
local user = ARGV[1]
local rank = {member = 1, moderator = 2, owner = 3}

-- clock() returns the current time by Redis's clock, in seconds.
local function clock() return tonumber(redis.call('TIME')[1]) end

-- change(kind, ...) appends a change to this person's access to the access stream. Further arguments are names and values
-- of fields. Call it before any write that a full Redis accepts, so that no such write happens without its change.
local function change(kind, ...)
  redis.call('XADD', access, 'MAXLEN', '~', 10000, '*', 'kind', kind, 'user', user, ...)
end

-- allow_when_full() makes a full Redis run the rest of the script. A full Redis refuses a script only at its first
-- write, and this HDEL needs no memory.
local function allow_when_full() redis.call('HDEL', sessions, '') end

local function is_banned() return redis.call('HEXISTS', bans, user) == 1 end

-- may_act(by, actor) reports whether the user by, whose account is the key actor, may act on this
-- person: a moderator on members, an owner on everyone. An empty by is the operator.
local function may_act(by, actor)
  if by == '' then return true end
  if redis.call('HEXISTS', bans, by) == 1 then return false end
  local own = rank[redis.call('HGET', actor, 'role') or ''] or 0
  local theirs = rank[redis.call('HGET', account, 'role') or ''] or 0
  return own == rank.owner or own == rank.moderator and own > theirs
end

-- may_invite(by, creator, room, role) reports whether the user by, whose account is the key creator,
-- may invite people. For a room, they need an account, and the caller checks their rights in the room.
-- For the server (room is ''), they must be a moderator, and for a role above member an owner.
local function may_invite(by, creator, room, role)
  if by == '' then return true end
  local needed = rank.member
  if room == '' then needed = role == 'member' and rank.moderator or rank.owner end
  return redis.call('HEXISTS', bans, by) == 0 and (rank[redis.call('HGET', creator, 'role') or ''] or 0) >= needed
end

local function end_session(session, by)
  if redis.call('HEXISTS', sessions, session) == 1 then
    change('signed_out', 'session', session, 'by', by)
    redis.call('HDEL', sessions, session)
  end
end

-- start_session(session, record) starts a session. It removes expired sessions and, if there are 50, ends the least
-- recently used one.
local function start_session(session, record)
  if redis.call('HEXISTS', sessions, session) == 1 then return end
  local all, live, oldest, oldest_used = redis.call('HGETALL', sessions), 0, nil, nil
  for i = 1, #all, 2 do
    local other = cjson.decode(all[i + 1])
    if other.expiry < clock() - 86400 then
      redis.call('HDEL', sessions, all[i])
    else
      live = live + 1
      local used = other.used * 1e10 + other.created
      if not oldest or used < oldest_used then oldest, oldest_used = all[i], used end
    end
  end
  if live >= 50 then end_session(oldest, '') end
  redis.call('HSET', sessions, session, record)
end

-- add_passkey(id, record) stores a passkey. It returns false if another person has it, or if this person already has 20.
local function add_passkey(id, record)
  local owner = redis.call('HGET', passkey_users, id)
  if owner and owner ~= user then return false end
  if not owner and redis.call('HLEN', passkeys) >= 20 then return false end
  redis.call('HSET', passkey_users, id, user)
  redis.call('HSET', passkeys, id, record)
  return true
end

local function set_role(role, by)
  redis.call('HSET', account, 'role', role)
  redis.call(role == 'owner' and 'SADD' or 'SREM', owners, user)
  change('role', 'role', role, 'by', by)
end

-- found() returns the reply for a person who is signed in, followed by more values.
local function found(...)
  local fields = redis.call('HMGET', account, 'name', 'role')
  return {'ok', fields[1], fields[2], ...}
end

-- create(role) creates the account and its first session, from ARGV 2 session  3 its record
-- 4 passkey or ''  5 its record  6 name  7 'guest' if the person was a guest. It returns a status, which
-- is also ok if an earlier call with the same session created the account.
local function create(role)
  if is_banned() then return 'banned' end
  if redis.call('EXISTS', account) == 1 then
    return redis.call('HEXISTS', sessions, ARGV[2]) == 1 and 'ok' or 'exists'
  end
  if redis.call('HEXISTS', ended_guests, user) == 1 then return 'exists' end -- there was an account before
  if ARGV[4] ~= '' and not add_passkey(ARGV[4], ARGV[5]) then return 'exists' end
  redis.call('HSET', account, 'name', ARGV[6], 'role', role, 'created', clock())
  local now = redis.call('TIME')
  redis.call('ZADD', accounts, now[1] + now[2] / 1e6, user)
  if role == 'owner' then redis.call('SADD', owners, user) end
  if ARGV[7] == 'guest' then redis.call('HSET', ended_guests, user, 'account') end
  change('account', 'role', role, 'was', ARGV[7])
  start_session(ARGV[2], ARGV[3])
  return 'ok'
end
