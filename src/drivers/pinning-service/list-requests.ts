import { canonicalCid } from "#content/cid.ts";
import type { ListedCopy, ListOptions } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import { throwIfCancelled } from "#drivers/contract/cancelled.ts";
import {
  byNewest,
  momentOf,
  type PinRequest,
  requestCopy,
} from "#drivers/pinning-service/pin-request.ts";
import type { PinFilter, PinningClient } from "#drivers/pinning-service/pinning-client.ts";

/**
 * Every request that a service says it has pinned, newest first; the newest of a content is its
 * copy, and comes before its others. Pages go by the time of their oldest request, as the
 * specification has it, and one page is all that is in memory. A service that leaves something out
 * between two pages, or sends them in another order, is refused: what it left out would look lost.
 */
export async function* listRequests(
  client: PinningClient,
  place: { readonly backend: string; readonly meta: Readonly<Record<string, string>> },
  { cursor, signal }: ListOptions,
): AsyncGenerator<ListedCopy> {
  throwIfCancelled(signal, `listing ${place.backend}`);
  const start = cursor === undefined ? undefined : readCursor(cursor);
  for await (const request of allRequests(client, place, start?.created, signal)) {
    if (start !== undefined && byNewest(request, start) <= 0) continue;
    const cid = canonicalCid(request.pin.cid);
    throwIfCancelled(signal, `listing ${place.backend}`);
    const { created, requestid } = request;
    yield { cid, copy: requestCopy(request), size: undefined, cursor: `${created} ${requestid}` };
  }
}

/** Contents of so many requests are remembered while they are counted. */
const rememberedMax = 10_000;

/**
 * Bytes of all that is listed, of a content that was asked for more than once only those of its
 * first request within reach of memory: writers that meet make theirs at nearly the same time, and
 * lists are in that order. Requests that are further apart count each.
 */
export async function bytesOfRequests(listed: AsyncIterable<ListedCopy>): Promise<number> {
  const recent = new Set<string>();
  let bytes = 0;
  for await (const { cid, copy } of listed) {
    if (recent.has(cid)) continue;
    bytes += copy.bytes;
    recent.add(cid);
    if (recent.size <= rememberedMax) continue;
    for (const oldest of recent) {
      recent.delete(oldest);
      break;
    }
  }
  return bytes;
}

async function* allRequests(
  client: PinningClient,
  { backend, meta }: { readonly backend: string; readonly meta: Readonly<Record<string, string>> },
  startedAt: string | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<PinRequest> {
  let before = startedAt === undefined ? undefined : justAfter(startedAt);
  let last: readonly PinRequest[] = [];
  for (;;) {
    const filter: PinFilter = { states: ["pinned"], meta, ...(before !== undefined && { before }) };
    const { count, results } = await client.page(filter, { signal });
    const page = results.filter((request) => hasMeta(request, meta)).toSorted(byNewest);
    // A page begins with the moment that the last one ended with.
    const known = new Set(last.map(({ requestid }) => requestid));
    yield* page.filter(({ requestid }) => !known.has(requestid));
    if (count <= results.length) return;
    const oldest = page.at(-1);
    const inOrder = results.every((one, at) => {
      const next = results[at + 1];
      return next === undefined || momentOf(one.created) >= momentOf(next.created);
    });
    if (!inOrder) throw refuse(backend, `${count} pins, and its pages are in no order`);
    if (oldest === undefined || page.every(({ requestid }) => known.has(requestid))) {
      throw refuse(backend, `more than ${results.length} pins of the same moment`);
    }
    last = page;
    before = justAfter(oldest.created);
  }
}

/** Whether a request is one of this backend's. Not every service heeds that filter. */
export function hasMeta({ pin }: PinRequest, meta: Readonly<Record<string, string>>): boolean {
  return Object.entries(meta).every(([key, value]) => pin.meta[key] === value);
}

/** Some services count the given moment in, others do not: a little later is right for both. */
function justAfter(created: string): string {
  return new Date(Date.parse(created) + 1).toISOString();
}

function readCursor(cursor: string): PinRequest {
  const [created = "", requestid = ""] = cursor.split(" ");
  const pin = { cid: "", meta: {} };
  return { requestid, created, pin, status: "pinned", delegates: [], info: {} };
}

function refuse(backend: string, what: string): EngineError {
  return new EngineError("NOT_SUPPORTED", `${backend} cannot be listed: it has ${what}`, {
    hint:
      "list what it keeps by other means and `import manifest` that; " +
      "for an IPFS Cluster use the driver ipfs-cluster",
  });
}
