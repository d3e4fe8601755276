import { Redis } from "ioredis";
import {
  holderText,
  type IndexMark,
  type LeaseHolder,
  type LeaseRecord,
  type LeaseStore,
  notesMarks,
  parseHolder,
  unwrittenMark,
} from "#jobs/lease/lease-store.ts";
import { leaseTiming } from "#jobs/lease/lease-timing.ts";
import { EngineError } from "#model/engine-error.ts";

interface RedisLeaseOptions {
  /** Key prefix with the braces that keep all keys in one slot of a cluster. */
  readonly prefix: string;
  readonly onError: (error: EngineError) => void;
}

/** A lease in one hash of Redis or Valkey; each step is a script, on the clock of the server. */
export function openRedisLeaseStore(url: string, options: RedisLeaseOptions): LeaseStore {
  const client = new Redis(url, {
    lazyConnect: true,
    connectTimeout: leaseTiming.callTimeoutMs,
    commandTimeout: leaseTiming.callTimeoutMs,
    // A renewal that waits for a reconnection would come too late to say when it was asked for.
    maxRetriesPerRequest: 0,
    enableOfflineQueue: true,
    retryStrategy: (times) => Math.min(50 * 2 ** times, 1_000),
  });
  client.on("error", (error) => {
    options.onError(EngineError.from(error, "UNAVAILABLE"));
  });
  const lease = `${options.prefix}:controller-lease`;
  const waiting = `${options.prefix}:controller-standbys`;
  const installations = `${options.prefix}:installation`;
  const run = async (script: string, key: string, ...values: (string | number)[]) => {
    try {
      return (await client.eval(script, 1, key, ...values)) as (string | number)[];
    } catch (error) {
      throw new EngineError(
        "UNAVAILABLE",
        `the lease in the queue store cannot be reached: ${EngineError.from(error).message}`,
        { cause: error, hint: "check that the queue's server runs and is reachable" },
      );
    }
  };
  return {
    read: async () => recordOf(await run(readScript, lease)),
    acquire: async ({ holder, ttlMs, floor = 0, takeFrom = -1 }) => {
      const noted = [JSON.stringify(unwrittenMark), notesMarks];
      const values = [holder.id, holderText(holder), ttlMs, floor, takeFrom, ...noted];
      const [granted, ...rest] = await run(acquireScript, lease, ...values);
      return { ...recordOf(rest), granted: granted === 1 };
    },
    renew: async (holder, epoch, ttlMs, mark) => {
      const noted = mark === undefined ? "" : JSON.stringify(mark);
      const values = [holder.id, holderText(holder), ttlMs, epoch, noted];
      return (await run(renewScript, lease, ...values))[0] === 1;
    },
    mark: async () => {
      const [found] = await run(markScript, lease);
      return found === undefined ? undefined : (JSON.parse(String(found)) as IndexMark);
    },
    release: async (holder, epoch) => {
      await run(releaseScript, lease, holder.id, epoch);
    },
    announce: async (holder, ttlMs) => {
      await run(announceScript, waiting, holder.id, JSON.stringify(holder), ttlMs);
    },
    withdraw: async (holder) => {
      await run(withdrawScript, waiting, holder.id);
    },
    waiting: async () => {
      const found = await run(waitingScript, waiting);
      return found.map((text) => JSON.parse(String(text)) as LeaseHolder);
    },
    owner: async () => {
      const [found] = await run(ownerScript, installations);
      return found === undefined ? undefined : String(found);
    },
    claim: async (installation) => String((await run(claimScript, installations, installation))[0]),
    close: async () => {
      client.disconnect();
    },
  };
}

function recordOf([epoch, detail, remainingMs]: readonly (string | number)[]): LeaseRecord {
  return {
    epoch: Number(epoch ?? 0),
    holder: detail === undefined || detail === "" ? undefined : parseHolder(String(detail)),
    remainingMs: Number(remainingMs ?? 0),
  };
}

// Milliseconds of the server's clock, and the record; `now` and the fields are for what follows.
const prelude = `
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local fields = redis.call('HMGET', KEYS[1], 'epoch', 'id', 'detail', 'until')
  local epoch = tonumber(fields[1] or 0)
  local id = fields[2] or ''
  local detail = fields[3] or ''
  local remaining = math.max(0, tonumber(fields[4] or 0) - now)
  local function store(newEpoch, newId, newDetail, ttl)
    redis.call('HSET', KEYS[1], 'epoch', string.format('%d', newEpoch), 'id', newId,
      'detail', newDetail, 'until', string.format('%d', now + ttl))
  end`;

const readScript = `${prelude}
  return {epoch, detail, remaining}`;

const acquireScript = `${prelude}
  if remaining > 0 and id ~= ARGV[1] and epoch ~= tonumber(ARGV[5]) then
    return {0, epoch, detail, remaining}
  end
  local fresh = math.max(epoch, tonumber(ARGV[4])) + 1
  store(fresh, ARGV[1], ARGV[2], tonumber(ARGV[3]))
  if fresh == 1 then redis.call('HSETNX', KEYS[1], 'mark', ARGV[6])
  elseif epoch > 0 and not string.find(detail, ARGV[7], 1, true) then
    redis.call('HDEL', KEYS[1], 'mark')
  end
  return {1, fresh, ARGV[2], tonumber(ARGV[3])}`;

const renewScript = `${prelude}
  local mine = id == ARGV[1] and epoch == tonumber(ARGV[4])
  if not mine and epoch ~= 0 then return {0} end
  store(tonumber(ARGV[4]), ARGV[1], ARGV[2], tonumber(ARGV[3]))
  if ARGV[5] ~= '' then redis.call('HSET', KEYS[1], 'mark', ARGV[5]) end
  return {1}`;

const markScript = `return {redis.call('HGET', KEYS[1], 'mark') or nil}`;

const releaseScript = `${prelude}
  if id == ARGV[1] and epoch == tonumber(ARGV[2]) then store(epoch, id, detail, 0) end
  return {}`;

const announceScript = `
  local time = redis.call('TIME')
  redis.call('HSET', KEYS[1], ARGV[1],
    string.format('%d %s', time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[3], ARGV[2]))
  return {}`;

const withdrawScript = `redis.call('HDEL', KEYS[1], ARGV[1]) return {}`;

const ownerScript = `return {redis.call('GET', KEYS[1]) or nil}`;

const claimScript = `
  redis.call('SET', KEYS[1], ARGV[1], 'NX')
  return {redis.call('GET', KEYS[1])}`;

// What ran out is forgotten by whoever looks.
const waitingScript = `
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local all = redis.call('HGETALL', KEYS[1])
  local living = {}
  for at = 1, #all, 2 do
    local ends, detail = string.match(all[at + 1], '^(%d+) (.*)$')
    if tonumber(ends) > now then table.insert(living, detail)
    else redis.call('HDEL', KEYS[1], all[at]) end
  end
  return living`;
