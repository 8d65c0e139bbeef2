"""The few steps that must be atomic, as Redis runs them.

Owns the Lua of the vault. Every script works on keys of one hash slot, reads no key that it is not given, and is
short: Redis does nothing else meanwhile.
"""

from typing import Final

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

# KEYS: hash; ARGV: field, value, kind prefix, now ms
WRITE: Final = """
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('HSET', KEYS[1], 'writes', (tonumber(redis.call('HGET', KEYS[1], 'writes')) or 0) + 1)
if string.find(ARGV[1], ':', 1, true) then
  local kept = {}
  for _, name in ipairs(redis.call('HKEYS', KEYS[1])) do
    if string.sub(name, 1, #ARGV[3]) == ARGV[3] then
      local expiry = tonumber(string.sub(redis.call('HGET', KEYS[1], name), 1, 13)) or 0
      if expiry <= tonumber(ARGV[4]) then
        redis.call('HDEL', KEYS[1], name)
      elseif name ~= ARGV[1] then
        kept[#kept + 1] = {expiry, name}
      end
    end
  end
  table.sort(kept, function(a, b) return a[1] < b[1] end)
  for i = 1, #kept - 19 do redis.call('HDEL', KEYS[1], kept[i][2]) end
end
return 1
"""

# KEYS: the hash; ARGV: names of its fields
REMOVE: Final = """
local gone = redis.call('HDEL', KEYS[1], unpack(ARGV))
if gone > 0 and redis.call('EXISTS', KEYS[1]) == 1 then
  redis.call('HSET', KEYS[1], 'writes', (tonumber(redis.call('HGET', KEYS[1], 'writes')) or 0) + 1)
end
return gone
"""

# KEYS: hash; ARGV: field, value, version field, expected version
SWAP: Final = """
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
if (redis.call('HGET', KEYS[1], ARGV[3]) or '0') ~= ARGV[4] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('HINCRBY', KEYS[1], ARGV[3], 1)
return 1
"""

# The tombstone is always written: WAIT needs a write to wait for when an end is asked for twice, and a session that
# is about to be written must not begin. The first reason stands.
# KEYS: hash, tombstone; ARGV: reason, tombstone seconds
END: Final = """
local gone = redis.call('DEL', KEYS[1])
redis.call('SET', KEYS[2], redis.call('GET', KEYS[2]) or ARGV[1], 'EX', ARGV[2])
return gone
"""

# A script and no transaction: redis-py's transactions on a cluster block the loop while they look for the slot.
# KEYS: set; ARGV: member, score, drop up to this score, lifetime in seconds
INDEX: Final = """
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[3])
return redis.call('EXPIRE', KEYS[1], ARGV[4])
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

# What may be run twice: the second time changes nothing, or the same again.
REPEATABLE: Final = frozenset({CREATE, TOUCH, WRITE, REMOVE, END, INDEX, RELEASE, RENEW})
