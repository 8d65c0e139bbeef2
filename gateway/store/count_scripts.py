"""The step that counts against limits, and what is written in the same one.

Owns the Lua of both. Never decides what is too much: whoever calls says so with the buckets.
"""

from typing import Final

# Puts a cost into leaky buckets, if it is let in: the rule of `servicekit/leaky_buckets.py`. A bucket is the time at
# which it will be empty (microseconds since 1970); a clock that went back makes none fuller than full. Nothing where
# the user may not ask for the time. Not repeatable: a second time would count twice.
# By its KEYS, the buckets.
# ARGV: cost, 1 if it was let in already and is to be counted anyhow, then for each bucket: capacity, microseconds to
# lose one unit, role, 1 if it is open
# Returns whether it was let in, and what each bucket held before.
COUNT: Final = """
local time = redis.pcall('TIME')
if time.err then return false end
local now, cost = time[1] * 1000000 + time[2], tonumber(ARGV[1])
local levels, fits = {}, {['0'] = true, ['1'] = true}
for i, key in ipairs(KEYS) do
  local capacity, each, role = tonumber(ARGV[4 * i - 1]), tonumber(ARGV[4 * i]), ARGV[4 * i + 1]
  local empty_at = tonumber(redis.call('GET', key) or '') or 0
  levels[i] = math.min(math.max((empty_at - now) / each, 0), capacity)
  local has_room = levels[i] + cost <= capacity and ARGV[4 * i + 2] == '1'
  fits[role] = has_room and fits[role] ~= false
end
local let_in = fits['0'] and (fits['1'] or fits['2'] or false)
local unused = (let_in and not fits['1']) and '1' or '2'
local answer = {let_in and 1 or 0}
for i, key in ipairs(KEYS) do
  answer[i + 1] = string.format('%.3f', levels[i])
  if (let_in or ARGV[2] == '1') and ARGV[4 * i + 1] ~= unused then
    local ahead = math.min(levels[i] + cost, tonumber(ARGV[4 * i - 1])) * tonumber(ARGV[4 * i])
    redis.call('SET', key, string.format('%.0f', now + ahead), 'PX', math.max(1, math.ceil(ahead / 1000)))
  end
end
return answer
"""

# A single record, as a script so that it can be written in the step that counts. KEYS: record; ARGV: value, seconds
PUT: Final = "return redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])"
