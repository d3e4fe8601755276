// The answers of services that hold a given number of pins, in their real form, made as they are
// asked for: no server of its own kind takes a million pins in a time that somebody would wait.
// Prints the address it listens at. Run by pin-inventories.ts.
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream/promises";
import { base32upper } from "multiformats/bases/base32";
import { base64url } from "multiformats/bases/base64";
import { CID } from "multiformats/cid";
import { rawCid } from "#content/cid.ts";

const pins = Number(process.argv[2]);
const newest = Date.parse("2026-11-01T00:00:00Z");
const linesAtOnce = 500;
const pageMax = 1_000;
/** The counter stands here in the text of a key, within the hash. */
const counterAt = 40;
const counterLength = 5;

/** How a service orders its pins: by their CIDs as text, in this base. */
interface Keys {
  readonly base: typeof base64url | typeof base32upper;
  /** In the order in which texts are compared. */
  readonly digits: readonly string[];
}
const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const small = letters.toLowerCase();
const kuboKeys: Keys = { base: base64url, digits: `-0123456789${letters}_${small}`.split("") };
const clusterKeys: Keys = { base: base32upper, digits: `234567${letters}`.split("") };
const peer = "12D3KooWQYhTNQdmr3ArTeUHRYzFg94BKyTkoWBDWez9kSCVe2Xo";

const server = createServer((request, response) => {
  const url = new URL(request.url ?? "/", "http://localhost");
  request.resume();
  void answer(url, response);
});
// A machine with much to do leaves a connection idle for longer than the usual five seconds.
server.keepAliveTimeout = 600_000;
server.listen(0, "127.0.0.1");
await once(server, "listening");
console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);

async function answer(url: URL, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = url;
  if (pathname === "/api/v0/version") json(response, { Version: "0.42.0" });
  else if (pathname === "/api/v0/files/stat") {
    json(response, { Hash: "", Size: 100, CumulativeSize: 100, Blocks: 0, Type: "file" });
  } else if (pathname === "/api/v0/pin/ls") {
    await lines(response, pins, (at) => ({
      Cid: pinAt(kuboKeys, at),
      Type: "recursive",
      Name: `pin ${at}`,
    }));
  } else if (pathname === "/cluster/allocations") {
    await lines(response, pins, (at) => allocation(pinAt(clusterKeys, at)));
  } else if (pathname === "/cluster/pins") {
    const cids = (searchParams.get("cids") ?? "").split(",");
    await lines(response, cids.length, (at) => standing(cids[at] ?? ""));
  } else if (pathname === "/service/pins") json(response, page(searchParams.get("before")));
  else response.writeHead(404).end();
}

function json(response: ServerResponse, value: unknown): void {
  response.setHeader("Content-Type", "application/json").end(JSON.stringify(value));
}

async function lines(
  response: ServerResponse,
  count: number,
  valueAt: (at: number) => object,
): Promise<void> {
  response.setHeader("Content-Type", "application/json");
  const pieces = function* (): Generator<string> {
    for (let from = 0; from < count; from += linesAtOnce) {
      const values = Array.from({ length: Math.min(linesAtOnce, count - from) }, (_, at) =>
        JSON.stringify(valueAt(from + at)),
      );
      yield `${values.join("\n")}\n`;
    }
  };
  // Whoever asked may go away before the end.
  await pipeline(pieces, response).catch(() => undefined);
}

/** The pin at a place in the order in which a service lists: that of its keys as text. */
function pinAt({ base, digits }: Keys, at: number): string {
  let text = "";
  for (let rest = at; text.length < counterLength; rest = Math.floor(rest / digits.length)) {
    text = (digits[rest % digits.length] ?? "") + text;
  }
  const key = base.encode(rawCid(new Uint8Array()).bytes);
  const whole = key.slice(0, counterAt) + text + key.slice(counterAt + counterLength);
  return CID.decode(base.decode(whole)).toString();
}

function allocation(cid: string): object {
  return {
    replication_factor_min: 1,
    replication_factor_max: 1,
    name: "",
    mode: "recursive",
    shard_size: 0,
    user_allocations: [],
    expire_at: "0001-01-01T00:00:00Z",
    metadata: {},
    pin_update: null,
    origins: [],
    cid,
    type: "pin",
    allocations: [peer],
    max_depth: -1,
    reference: null,
    timestamp: "2026-11-01T00:00:00Z",
  };
}

function standing(cid: string): object {
  const status = {
    peername: "peer-1",
    ipfs_peer_id: peer,
    ipfs_peer_addresses: [],
    status: "pinned",
    timestamp: "2026-11-01T00:00:00Z",
    error: "",
    attempt_count: 0,
    priority_pin: false,
  };
  const created = "2026-11-01T00:00:00Z";
  return {
    cid,
    name: "",
    allocations: [peer],
    origins: [],
    created,
    metadata: null,
    peer_map: { [peer]: status },
  };
}

/** One pin a second, the newest first. */
function page(before: string | null): object {
  const first = before === null ? 0 : Math.floor((newest - Date.parse(before)) / 1_000) + 1;
  const results = Array.from({ length: Math.min(pageMax, pins - first) }, (_, at) => ({
    requestid: String(first + at),
    status: "pinned",
    created: new Date(newest - (first + at) * 1_000).toISOString(),
    pin: { cid: pinAt(clusterKeys, first + at), name: "", origins: [], meta: {} },
    delegates: [`/ip4/127.0.0.1/tcp/4001/p2p/${peer}`],
    info: {},
  }));
  return { count: pins - first, results };
}
