import { parseCid, rawCode, sha256Code } from "#content/cid.ts";
import type { KuboNode, RootFacts } from "#drivers/kubo/kubo-node.ts";

/** A question names so many roots. */
const askedTogether = 250;

/**
 * What pinned roots are, in their order. Those that are one raw block are all there is of them: the
 * node is asked about many at once, and about each alone where one of them cannot be read.
 */
export async function rootFacts(
  node: KuboNode,
  cids: readonly string[],
  signal: AbortSignal | undefined,
): Promise<readonly RootFacts[]> {
  const found = new Map<string, Promise<RootFacts>>();
  const plain = cids.filter(isOneBlock);
  for (let at = 0; at < plain.length; at += askedTogether) {
    const some = plain.slice(at, at + askedTogether);
    const sizes = node.dagSizes(some, signal).catch(() => undefined);
    for (const [place, cid] of some.entries()) {
      found.set(
        cid,
        sizes.then((all) => {
          const bytes = all?.[place];
          return bytes === undefined ? node.facts(cid, signal) : { bytes, size: bytes };
        }),
      );
    }
  }
  // As many at a time as there are connections.
  return await Promise.all(cids.map((cid) => found.get(cid) ?? node.facts(cid, signal)));
}

function isOneBlock(text: string): boolean {
  const { code, multihash } = parseCid(text);
  return code === rawCode && multihash.code === sha256Code;
}
