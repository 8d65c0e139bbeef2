"""The few steps that must be atomic, as Redis runs them.

Owns the Lua of the vault, and which of it may run twice. Every script is short, as Redis
does nothing else meanwhile, works on keys of one hash slot, and reads no key that it is not given; but for LEAVE and
LIST, which are for a single server.
"""

import functools
import hashlib
from typing import Final

# Redis tells its time with what is read: `now` in milliseconds, 0 where the user may not ask.
_NOW: Final = """
local time = redis.pcall('TIME')
local now = time.err and 0 or time[1] * 1000 + math.floor(time[2] / 1000)
"""

# The id is new: where its hash exists, this call was made before and nobody heard the answer.
# What the old hash holds was read at one mark of its writes; with another mark it is to be read again.
# A tombstone of the new id means that whoever ends sessions has met it in an index already, before it was here.
# KEYS: new hash, new tombstone [, old hash, old tombstone]
# ARGV: idle ms, now ms, tombstone seconds, mark of the old hash's writes, digest of the new id, field, value, ...
CREATE: Final = """
if redis.call('EXISTS', KEYS[1]) == 1 then return 1 end
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
if KEYS[3] then
  if redis.call('EXISTS', KEYS[3]) == 0 then return 0 end
  if (redis.call('HGET', KEYS[3], 'writes') or '0') ~= ARGV[4] then return 2 end
  redis.call('DEL', KEYS[3])
  redis.call('SET', KEYS[4], 'rotated:' .. ARGV[5], 'EX', ARGV[3])
end
redis.call('HSET', KEYS[1], 'seen', ARGV[2])
for i = 6, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1
"""

# The lifetime first: a Redis without memory refuses HSET only as a script's first write, and people go on reading.
# KEYS: hash; ARGV: now ms, idle ms
TOUCH: Final = """
if redis.call('PEXPIRE', KEYS[1], ARGV[2]) == 0 then return 0 end
redis.call('HSET', KEYS[1], 'seen', ARGV[1])
return 1
"""

# Fields of a session, and the time before them. KEYS: hash; ARGV: field, ...
READ: Final = f"""{_NOW}
return {{now, unpack(redis.call('HMGET', KEYS[1], unpack(ARGV)))}}
"""

# The time, then all that a session holds as a flat list of names and values: what a step-up takes along is among it;
# by its KEYS: the hash.
READ_ALL: Final = f"""{_NOW}
local names = redis.call('HKEYS', KEYS[1])
if #names == 0 then return {{now}} end
local values = redis.call('HMGET', KEYS[1], unpack(names))
local all = {{now}}
for i, name in ipairs(names) do
  all[2 * i] = name
  all[2 * i + 1] = values[i]
end
return all
"""

# Writes fields (an empty value removes one) and lets go of a lock, in one step; nothing is written to a session that
# has ended. With a version, the first field is written only over that version: who lost a lock without noticing cannot
# overwrite what came after. Where the value is there already, this call was made before and nobody heard the answer.
# Of names with a colon (`token:...`) those that have ended are removed on the way.
# A field that says how many there may be of its kind (`parked:...`) takes the place of the oldest beyond those; it is
# left out, and takes nobody's place, where the session would be larger than its budget then. The others need no room.
# KEYS: hash [, lock]
# ARGV: now ms, mark of the lock's holder, version field or '', expected version, budget in bytes,
#       field, value, most of its kind or 0, ...
# Returns 0 when the session has ended, 1 when all was written, 2 when all but the first field was; then how often the
# session was written, this time included; then the names of fields that are not there now and were not meant to go.
WRITE: Final = """
local result, writes, gone = 0, 0, {}
local function kind_of(name)
  local colon = string.find(name, ':', 1, true)
  return colon and string.sub(name, 1, colon)
end
local function ends(value) return tonumber(string.sub(value, 1, 13)) or 0 end
if redis.call('EXISTS', KEYS[1]) == 1 then
  result = 1
  local first = 6
  if ARGV[3] ~= '' then
    if (redis.call('HGET', KEYS[1], ARGV[3]) or '0') == ARGV[4] then
      redis.call('HINCRBY', KEYS[1], ARGV[3], 1)
    else
      first = 9
      if redis.call('HGET', KEYS[1], ARGV[6]) ~= ARGV[7] then result = 2 end
    end
  end
  local kinds, limited = {}, {}
  for i = first, #ARGV, 3 do
    if ARGV[i + 1] == '' then
      redis.call('HDEL', KEYS[1], ARGV[i])
    else
      local kind = kind_of(ARGV[i])
      if kind then kinds[kind] = true end
      if ARGV[i + 2] ~= '0' then
        limited[#limited + 1] = i
      else
        redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
      end
    end
  end
  writes = (tonumber(redis.call('HGET', KEYS[1], 'writes')) or 0) + 1
  redis.call('HSET', KEYS[1], 'writes', writes)
  if next(kinds) then
    local held, size = {}, 0
    local names = redis.call('HKEYS', KEYS[1])
    for i, value in ipairs(redis.call('HMGET', KEYS[1], unpack(names))) do
      if kinds[kind_of(names[i])] and ends(value) <= tonumber(ARGV[1]) then
        redis.call('HDEL', KEYS[1], names[i])
        gone[names[i]] = true
      else
        held[names[i]] = value
        size = size + #names[i] + #value
      end
    end
    for _, i in ipairs(limited) do
      local name, value, most = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2])
      local others = {}
      for other, its in pairs(held) do
        if other ~= name and kind_of(other) == kind_of(name) then others[#others + 1] = {ends(its), other} end
      end
      table.sort(others, function(a, b) return a[1] < b[1] or (a[1] == b[1] and a[2] < b[2]) end)
      local leaving, after = {}, size + #value + (held[name] and -#held[name] or #name)
      for k = 1, #others - most + 1 do
        leaving[k] = others[k][2]
        after = after - #leaving[k] - #held[leaving[k]]
      end
      if after > tonumber(ARGV[5]) then
        gone[name] = true
      else
        for _, oldest in ipairs(leaving) do
          redis.call('HDEL', KEYS[1], oldest)
          gone[oldest] = true
          held[oldest] = nil
        end
        redis.call('HSET', KEYS[1], name, value)
        held[name], size, gone[name] = value, after, nil
      end
    end
  end
end
if KEYS[2] and redis.call('GET', KEYS[2]) == ARGV[2] then redis.call('DEL', KEYS[2]) end
local answer = {result, writes}
for name in pairs(gone) do answer[#answer + 1] = name end
return answer
"""

# The tombstone is always written: WAIT needs a write to wait for when an end is asked for twice, and a session that
# is about to be written must not begin. The first reason stands.
# With a third argument it ends only a session that was not used since then.
# KEYS: hash, tombstone; ARGV: reason, tombstone seconds [, when it was used last]
# Returns whether it was there, and what its tombstone says.
END: Final = """
if ARGV[3] and redis.call('HGET', KEYS[1], 'seen') ~= ARGV[3] then return {0, ''} end
local gone = redis.call('DEL', KEYS[1])
local said = redis.call('GET', KEYS[2]) or ARGV[1]
redis.call('SET', KEYS[2], said, 'EX', ARGV[2])
return {gone, said}
"""

# A script and no transaction: redis-py's transactions on a cluster block the loop while they look for the slot.
# KEYS: set; ARGV: member, score, drop up to this score, lifetime in seconds, most members
# Returns 1 where the set has more than that now. (ZCARD is a right more, which nobody gave us yet.)
INDEX: Final = """
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[4])
return #redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '+inf', 'LIMIT', ARGV[5], 1)
"""

# A text of pieces, each behind its length in four digits: one more at the head, and the last ones beyond the most are
# gone. Where the piece is there, this call was made before and nobody heard the answer.
# KEYS: text; ARGV: piece, most pieces, lifetime in seconds
PREPEND: Final = """
local kept = redis.call('GET', KEYS[1]) or ''
local piece = string.format('%04d', #ARGV[1]) .. ARGV[1]
if string.find(kept, piece, 1, true) then return 0 end
local text, at = piece .. kept, 1
for _ = 1, tonumber(ARGV[2]) do
  local length = tonumber(string.sub(text, at, at + 3))
  if not length then break end
  at = at + 4 + length
end
redis.call('SET', KEYS[1], string.sub(text, 1, at - 1), 'EX', ARGV[3])
return 1
"""

# After a change of id: the old one leaves the index, if it is gone. KEYS: set, old hash; ARGV: its member
LEAVE: Final = """
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
return redis.call('ZREM', KEYS[1], ARGV[1])
"""

# Some references of an index with two fields of each session, in one round trip. The keys of the sessions follow from
# the members (16 bytes of family, 32 of digest), so that this is no script for a cluster.
# KEYS: set; ARGV: prefix, field, field, up to this score, passing over so many, so many at most
# Returns the time, then member, score, value, value, ...
LIST: Final = (
    _NOW
    + """
local letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
local function base64url(bytes)
  local text = {}
  for i = 1, #bytes, 3 do
    local a, b, c = string.byte(bytes, i, i + 2)
    local number = a * 65536 + (b or 0) * 256 + (c or 0)
    for k = 3, c and 0 or (b and 1 or 2), -1 do
      local index = math.floor(number / 64 ^ k) % 64 + 1
      text[#text + 1] = string.sub(letters, index, index)
    end
  end
  return table.concat(text)
end
local rows = {now}
local found = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[4], 'WITHSCORES', 'LIMIT', ARGV[5], ARGV[6])
for i = 1, #found, 2 do
  local family, digest = string.sub(found[i], 1, 16), string.sub(found[i], 17)
  local key = ARGV[1] .. ':{' .. base64url(family) .. '}:' .. base64url(digest)
  local values = redis.call('HMGET', key, ARGV[2], ARGV[3])
  rows[#rows + 1] = found[i]
  rows[#rows + 1] = found[i + 1]
  rows[#rows + 1] = values[1]
  rows[#rows + 1] = values[2]
end
return rows
"""
)

# Takes a lock, and reads what it protects, with the time before it. Asked a second time, its holder still has it.
# KEYS: lock, hash; ARGV: mark, milliseconds, field, ... Returns nothing when another has the lock.
CLAIM: Final = f"""{_NOW}
if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then
  if redis.call('GET', KEYS[1]) ~= ARGV[1] then return false end
end
return {{now, unpack(redis.call('HMGET', KEYS[2], unpack(ARGV, 3)))}}
"""

# Only whoever took the lock may release it. KEYS: the lock; ARGV: the mark
RELEASE: Final = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""

# KEYS: lock; ARGV: mark, milliseconds. Renewed while the work runs, by whoever holds it.
RENEW: Final = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 0
"""

# A budget of bytes. The last mark is kept: asked a second time, these bytes are counted already.
# KEYS: number; ARGV: bytes, most, seconds, mark. Returns 0 where so many are not left.
SPEND: Final = """
local held = redis.call('GET', KEYS[1])
local spent, mark = string.match(held or '', '^(%d+) (.*)$')
if mark == ARGV[4] then return 1 end
local sum = (tonumber(spent) or 0) + ARGV[1]
if sum > tonumber(ARGV[2]) then return 0 end
local value = string.format('%d', sum) .. ' ' .. ARGV[4]
if held then redis.call('SET', KEYS[1], value, 'KEEPTTL') else redis.call('SET', KEYS[1], value, 'EX', ARGV[3]) end
return 1
"""

# What may be run twice: the second time changes nothing, or the same again.
REPEATABLE: Final = frozenset(
    {CREATE, TOUCH, READ, READ_ALL, WRITE, END, INDEX, PREPEND, LEAVE, LIST, CLAIM, RELEASE, RENEW, SPEND}
)

# What writes nothing, and so may go by the connection that reads share.
READ_ONLY: Final = frozenset({READ, READ_ALL, LIST})


@functools.cache
def sha1_of(script: str) -> str:
    """Return the name by which Redis knows a script that it has run before (EVALSHA)."""
    return hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest()


REPEATABLE_SHA1: Final = frozenset(map(sha1_of, REPEATABLE))
