-- Creates a one-time link for a person. Needs lib.lua, which documents KEYS 1 to 9 and ARGV 1.
--
-- KEYS  10 the creator's account  11 the link
-- ARGV  2 the creator's user ID, or '' for the operator  3 life in ms
--       4 the creator's session, or ''; when it ends, the link stops working
-- Reply ok, banned, unknown, or not_allowed

if ARGV[2] ~= user and not may_act(ARGV[2], KEYS[10]) then return {'not_allowed'} end
if is_banned() then return {'banned'} end
if redis.call('EXISTS', account) == 0 then return {'unknown'} end
redis.call('HSET', KEYS[11], 'user', user, 'by', ARGV[2], 'session', ARGV[4])
redis.call('PEXPIRE', KEYS[11], ARGV[3])
return {'ok'}
