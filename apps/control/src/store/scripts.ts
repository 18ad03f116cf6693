// What the store does in one step, as Lua: the table of all scripts. Each touches keys of one slot, so that they run on a cluster;
// each leaves a time to live on what it writes, but for the token keys.
//
//   ud1:t:{TOKEN}     PREFIX JSON                  PREFIX: who alone may redeem it, or `-`
//   ud1:t:{TOKEN}:c   hash: data port → client     `.void`: nobody may
//   ud1:s:CLIENT      N X H JSON                   N sequence, X the token's end (ms) or 0, H replicas with commas between them, or `-`
//   ud1:key           CURRENT FORMER SINCE         FORMER may be `-`
//   ud1:replicas      hash: replica → X JSON       X: its end, in ms
//
// Only JSON has a version (`v`): another layout of what is around it has another prefix than `ud1`.

/** Replicas kept for one client. A client that has been at more of them is forgotten where it was longest ago. */
export const MAX_REPLICAS_OF_CLIENT = 8

/** What a token's claims outlive it by, in ms: there is no moment with a token and without its claims. */
export const CLAIMS_OUTLIVE_MS = 1000

/** The field of a token's claims that makes it void: no data port has such a name. */
export const VOID_FIELD = '.void'

// TIME in ms, as a number that Lua's doubles hold exactly.
const now = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)`

// A binding in its parts, and the other replicas of it.
const binding = `
local found = redis.call('GET', KEYS[1])
local n, x, h, json = string.match(found or '', '^(%d+) (%d+) (%S+) (.*)$')
local others = {}
for replica in string.gmatch(h or '', '[^,]+') do
  if replica ~= '-' and replica ~= ARGV[1] and #others < ${MAX_REPLICAS_OF_CLIENT - 1} then table.insert(others, replica) end
end
local rest = table.concat(others, ',')
local all = rest == '' and ARGV[1] or ARGV[1] .. ',' .. rest
local function write(sequence, ends, body, ttl)
  redis.call('SET', KEYS[1], string.format('%.0f %.0f ', sequence, ends) .. all .. ' ' .. body, 'PX', math.max(1, ttl))
end`

const claimsOutlive = `
local life = redis.call('PTTL', KEYS[1]) + ${CLAIMS_OUTLIVE_MS}
if redis.call('EXISTS', KEYS[2]) == 1 and redis.call('PTTL', KEYS[2]) < life then redis.call('PEXPIRE', KEYS[2], life) end`

interface Script {
  /** How many of its arguments are keys. */
  readonly keys: number
  /** Undefined: it is a command, not a script. */
  readonly lua: string | undefined
}

export const scripts = {
  // KEYS token, claims · ARGV record, ttl. A token that was just made: the command SET with NX and PX, without a script.
  put: { keys: 2, lua: undefined },
  // KEYS token, claims · ARGV record, ttl, then data port and client of each redemption that is known. Claims come first.
  mint: {
    keys: 2,
    lua: `
for at = 3, #ARGV, 2 do redis.call('HSETNX', KEYS[2], ARGV[at], ARGV[at + 1]) end
redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2])${claimsOutlive}`
  },
  // KEYS token, claims · ARGV data port, client, the client's prefix. The same client again is told the same: its answer was lost.
  // Answers {0} unknown, {1, record, ttl, data port, …} theirs, {2} somebody else's already, {3} void, {4} not for this client.
  claim: {
    keys: 2,
    lua: `
local record = redis.call('GET', KEYS[1])
if not record then return {0} end
if redis.call('HEXISTS', KEYS[2], '${VOID_FIELD}') == 1 then return {3} end
local prefix = string.match(record, '^%S+')
if prefix ~= '-' and prefix ~= ARGV[3] then return {4} end
local client = redis.call('HGET', KEYS[2], ARGV[1])
if client and client ~= ARGV[2] then return {2} end
if not client then
  redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])${claimsOutlive}
end
return {1, record, redis.call('PTTL', KEYS[1]), unpack(redis.call('HKEYS', KEYS[2]))}`
  },
  // KEYS token, claims · ARGV ttl of the mark, if the token is not there or ends sooner. Answers 1 if the token was there and not void.
  void: {
    keys: 2,
    lua: `
local isNew = redis.call('HSET', KEYS[2], '${VOID_FIELD}', '1')
local left = redis.call('PTTL', KEYS[1])
redis.call('PEXPIRE', KEYS[2], math.max(tonumber(ARGV[1]), left) + ${CLAIMS_OUTLIVE_MS})
return left > 0 and isNew or 0`
  },
  // KEYS session. Answers {record or nil, now}.
  find: {
    keys: 1,
    lua: `${now}
return {redis.call('GET', KEYS[1]), now}`
  },
  // KEYS session · ARGV replica, json, ttl, ttl of the token or 0. Answers {sequence, other replicas}.
  bind: {
    keys: 1,
    lua: `${now}${binding}
local sequence = math.max((tonumber(n) or 0) + 1, now)
local left = tonumber(ARGV[4])
write(sequence, left > 0 and now + left or 0, ARGV[2], ARGV[3])
return {sequence, rest}`
  },
  // KEYS session · ARGV replica, ttl. Answers nil, or {sequence, other replicas}.
  join: {
    keys: 1,
    lua: `${binding}
if not n then return false end
write(n, x, json, math.max(redis.call('PTTL', KEYS[1]), tonumber(ARGV[2])))
return {tonumber(n), rest}`
  },
  // KEYS session · ARGV replica, json, ttl, ttl of the token or 0, sequence. Answers nil, or the newer one: {record, now}.
  keep: {
    keys: 1,
    lua: `${now}${binding}
local sequence = tonumber(ARGV[5])
if n and tonumber(n) > sequence then return {found, now} end
local left = tonumber(ARGV[4])
write(sequence, left > 0 and now + left or 0, ARGV[2], ARGV[3])
return false`
  },
  // KEYS session · ARGV replica, 1 for everywhere. Answers the other replicas.
  drop: {
    keys: 1,
    lua: `${binding}
if not n then return '' end
if ARGV[2] == '1' or rest == '' then redis.call('DEL', KEYS[1]) else
  all = rest
  write(n, x, json, redis.call('PTTL', KEYS[1]))
end
return rest`
  },
  // KEYS key · ARGV proposed, greatest age. Answers {record, now}.
  keys: {
    keys: 1,
    lua: `${now}
local record = redis.call('GET', KEYS[1])
local current, since = string.match(record or '', '^(%x+) %S+ (%d+)$')
if current and #current ~= 32 then current = nil end
if not current or now - tonumber(since) >= tonumber(ARGV[2]) then
  record = string.format('%s %s %.0f', ARGV[1], current or '-', now)
  redis.call('SET', KEYS[1], record)
end
return {record, now}`
  },
  // KEYS replicas · ARGV replica, json, ttl. Those that are over go, and all of them if nobody comes for so long.
  announce: {
    keys: 1,
    lua: `${now}
local all = redis.call('HGETALL', KEYS[1])
for at = 1, #all, 2 do
  if tonumber(string.match(all[at + 1], '^%d+') or 0) <= now then redis.call('HDEL', KEYS[1], all[at]) end
end
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f ', now + ARGV[3]) .. ARGV[2])
redis.call('PEXPIRE', KEYS[1], math.max(redis.call('PTTL', KEYS[1]), tonumber(ARGV[3])))`
  },
  // KEYS replicas. Answers the json of those that are not over.
  replicas: {
    keys: 1,
    lua: `${now}
local live = {}
for _, entry in ipairs(redis.call('HVALS', KEYS[1])) do
  local ends, json = string.match(entry, '^(%d+) (.*)$')
  if ends and tonumber(ends) > now then table.insert(live, json) end
end
return live`
  },
  // KEYS probe. Does everything that the others do, to a key that nobody reads: who may do this may do all. Leaves nothing.
  probe: {
    keys: 1,
    lua: `${now}
redis.call('SET', KEYS[1], now, 'PX', 1000)
redis.call('GET', KEYS[1])
redis.call('DEL', KEYS[1])
redis.call('HSETNX', KEYS[1], 'a', '1')
redis.call('HSET', KEYS[1], 'b', '1')
redis.call('PEXPIRE', KEYS[1], 1000)
redis.call('PTTL', KEYS[1])
redis.call('EXISTS', KEYS[1])
redis.call('HGET', KEYS[1], 'a')
redis.call('HEXISTS', KEYS[1], 'a')
redis.call('HKEYS', KEYS[1])
redis.call('HVALS', KEYS[1])
redis.call('HGETALL', KEYS[1])
redis.call('HDEL', KEYS[1], 'a')
redis.call('DEL', KEYS[1])`
  }
} as const satisfies Record<string, Script>

export type ScriptName = keyof typeof scripts
