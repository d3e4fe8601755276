import { checkBlock } from "#content/check-block.ts";
import { parseCid } from "#content/cid.ts";
import { decodeNode } from "#content/dag-node.ts";
import type { KuboNode } from "#drivers/kubo/kubo-node.ts";

/** So many ways are taken from the root down to a leaf. */
const ways = 8;
/** No tree of blocks is deeper than this, unless somebody made it so. */
const depthMax = 64;

/** Re-hashes some blocks below a root, chosen at random, the root among them. */
export async function sampleBlocks(
  node: KuboNode,
  root: string,
  signal: AbortSignal | undefined,
): Promise<{ readonly blocks: number; readonly bytes: number }> {
  const seen = new Map<string, number>();
  for (let way = 0; way < ways; way++) {
    let next: string | undefined = root;
    for (let depth = 0; next !== undefined && depth < depthMax; depth++) {
      const cid = parseCid(next);
      const bytes = await node.block(next, signal);
      checkBlock({ cid, bytes });
      seen.set(next, bytes.length);
      const { links } = decodeNode({ cid, bytes });
      next = links[Math.floor(Math.random() * links.length)]?.toString();
    }
  }
  const bytes = [...seen.values()].reduce((total, each) => total + each, 0);
  return { blocks: seen.size, bytes };
}
