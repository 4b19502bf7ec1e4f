-- Ends sessions of a person. Needs lib.lua, which documents KEYS 1 to 9 and ARGV 1.
--
-- KEYS  10 the account of the user who ends them
-- ARGV  2 the ID of that user, or '' for the operator  3 a session to keep, or ''
--       4, 5, ... sessions; if there are none, all
-- Reply ok, or not_allowed

if ARGV[2] ~= user and not may_act(ARGV[2], KEYS[10]) then return {'not_allowed'} end
allow_when_full()
local ended = {unpack(ARGV, 4)}
if #ended == 0 then ended = redis.call('HKEYS', sessions) end
for _, session in ipairs(ended) do
  if session ~= ARGV[3] then end_session(session, ARGV[2]) end
end
return {'ok'}
