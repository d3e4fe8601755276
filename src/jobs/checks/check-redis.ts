import { askRedis } from "#jobs/ask-redis.ts";
import { serverTime } from "#jobs/redis-store.ts";
import { checkClock } from "#jobs/checks/check-clock.ts";
import type { Check } from "#model/check.ts";

const versionMin = [6, 2] as const;
/** A client too many is refused, and a lane stands still. */
const clientsShareMax = 0.8;

/** Version, persistence, eviction, cluster mode, clients and clock of a Redis or Valkey. */
export async function checkRedis(
  url: string,
  { clockSkewMs }: { readonly clockSkewMs: number },
  now: () => Date,
): Promise<readonly Check[]> {
  return await askRedis(url, async (client) => {
    const info = readInfo(await client.info());
    // Managed services do not let everybody read their configuration.
    const config = await client.config("GET", "save").catch(() => undefined);
    const save = Array.isArray(config) ? (config[1] ?? "") : undefined;
    const clock = await checkClock(() => serverTime(client), clockSkewMs, now);
    return [
      checkVersion(info),
      checkRole(info),
      checkPersistence(info, save),
      checkEviction(info),
      checkCluster(info),
      checkClients(info),
      clock,
    ];
  });
}

type Info = ReadonlyMap<string, string>;

function readInfo(text: string): Info {
  const lines = text.split(/\r?\n/).filter((line) => line.includes(":"));
  return new Map(
    lines.map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1)]),
  );
}

function checkVersion(info: Info): Check {
  const valkey = info.get("valkey_version");
  const version = valkey ?? info.get("redis_version") ?? "unknown";
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const isOld = major < versionMin[0] || (major === versionMin[0] && minor < versionMin[1]);
  const name = "queue version";
  const message = `${valkey === undefined ? "Redis" : "Valkey"} ${version}`;
  if (!isOld) return { name, state: "ok", message };
  return {
    name,
    state: "failed",
    message,
    why: "the queue needs commands that came with 6.2",
    hint: "upgrade the server to 6.2 or later",
  };
}

function checkRole(info: Info): Check {
  const role = info.get("role") ?? "unknown";
  const name = "queue role";
  if (role === "master") return { name, state: "ok", message: "takes writes" };
  return {
    name,
    state: "failed",
    message: `it is a ${role}`,
    why: "a replica takes no writes",
    hint: "point queue.url at the primary",
  };
}

function checkPersistence(info: Info, save: string | undefined): Check {
  const name = "queue persistence";
  const isAppending = info.get("aof_enabled") === "1";
  if (isAppending) return { name, state: "ok", message: "appendonly is on" };
  const why =
    "after a restart of the server queued work is gone; runs go on from the index, but what " +
    "workers had just done is done again, and the lease begins anew";
  const hint = "set `appendonly yes` (appendfsync everysec)";
  if (save === undefined) {
    const message = "appendonly is off, and the save points cannot be read";
    return { name, state: "warn", message, why, hint };
  }
  if (save === "") {
    return { name, state: "warn", message: "neither appendonly nor save points", why, hint };
  }
  return { name, state: "warn", message: `appendonly is off; save ${save}`, why, hint };
}

function checkEviction(info: Info): Check {
  const policy = info.get("maxmemory_policy") ?? "unknown";
  const name = "queue eviction";
  const message = `maxmemory-policy is ${policy}`;
  if (policy === "noeviction") return { name, state: "ok", message };
  return {
    name,
    state: "failed",
    message,
    why: "when memory runs out, jobs would be thrown away without a word",
    hint: "set `maxmemory-policy noeviction`",
  };
}

function checkCluster(info: Info): Check {
  const name = "queue cluster";
  if (info.get("cluster_enabled") !== "1") return { name, state: "ok", message: "one server" };
  return {
    name,
    state: "warn",
    message: "it is a node of a cluster",
    why: "all keys share one slot, which lives on one node; this client does not follow it there",
    hint: "name the node that holds the slot of {queue.prefix}, or a proxy before the cluster",
  };
}

function checkClients(info: Info): Check {
  const connected = Number(info.get("connected_clients") ?? 0);
  const most = Number(info.get("maxclients") ?? 0);
  const name = "queue clients";
  const message = most === 0 ? `${connected} connected` : `${connected} of ${most} connected`;
  if (most === 0 || connected <= most * clientsShareMax) return { name, state: "ok", message };
  return {
    name,
    state: "warn",
    message,
    why: "each lane of each node holds a connection; a client too many is refused",
    hint: "raise maxclients, and the limit of open files of the server",
  };
}
