import { parseCid, rawCode, sha256Code } from "#content/cid.ts";
import { connectionsMax } from "#drivers/contract/http-service.ts";
import type { KuboNode, RootFacts } from "#drivers/kubo/kubo-node.ts";

/** A question names so many roots. */
const askedTogether = 250;

/**
 * What pinned roots are, in their order. Those that are one raw block are all there is of them: the
 * node is asked about many at once, and about each alone where one of them cannot be read. As many
 * questions are under way as there are connections; the first failure ends them all.
 */
export async function rootFacts(
  node: Pick<KuboNode, "dagSizes" | "facts">,
  cids: readonly string[],
  signal: AbortSignal | undefined,
): Promise<readonly RootFacts[]> {
  const found = new Map<string, RootFacts>();
  await together(groupsOf(cids.filter(isOneBlock)), signal, async (some, ending) => {
    const sizes = await node.dagSizes(some, ending).catch(() => []);
    for (const [at, bytes] of sizes.entries()) found.set(some[at]!, { bytes, size: bytes });
  });
  const rest = cids.filter((cid) => !found.has(cid));
  await together(rest, signal, async (cid, ending) => {
    found.set(cid, await node.facts(cid, ending));
  });
  return cids.map((cid) => found.get(cid)!);
}

/** Throws the first failure, when nothing is under way any more. */
async function together<Item>(
  items: readonly Item[],
  signal: AbortSignal | undefined,
  ask: (item: Item, ending: AbortSignal) => Promise<void>,
): Promise<void> {
  const failed = new AbortController();
  const ending = signal === undefined ? failed.signal : AbortSignal.any([signal, failed.signal]);
  const waiting = items.values();
  const failures: unknown[] = [];
  const askInTurn = async (): Promise<void> => {
    for (const item of waiting) {
      if (failures.length > 0) return;
      await ask(item, ending).catch((error: unknown) => {
        failures.push(error);
        failed.abort();
      });
    }
  };
  await Promise.all(Array.from({ length: connectionsMax }, askInTurn));
  if (failures.length > 0) throw failures[0];
}

function groupsOf(cids: readonly string[]): readonly (readonly string[])[] {
  return Array.from({ length: Math.ceil(cids.length / askedTogether) }, (_, group) =>
    cids.slice(group * askedTogether, (group + 1) * askedTogether),
  );
}

function isOneBlock(text: string): boolean {
  const { code, multihash } = parseCid(text);
  return code === rawCode && multihash.code === sha256Code;
}
