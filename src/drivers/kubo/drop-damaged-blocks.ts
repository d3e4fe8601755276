import { checkBlock } from "#content/check-block.ts";
import { parseCid } from "#content/cid.ts";
import { decodeNode } from "#content/dag-node.ts";
import { EngineError } from "#model/engine-error.ts";
import { saidBy, unreadableDag } from "#drivers/kubo/kubo-error.ts";
import type { KuboNode } from "#drivers/kubo/kubo-node.ts";

/** The node is asked for so many blocks at a time. */
const askedTogether = 16;

/**
 * Makes room for an intact copy of a pinned object: a node never writes a block that it believes
 * to have, so damaged ones must go first, and for that the pin. That is given up only when a
 * block was seen here and now that is not what it claims to be, so when there is no copy to lose,
 * and after `prepare`, which throws where the intact copy could not be written anyway. Says whether
 * there were any.
 */
export async function dropDamagedBlocks(
  node: KuboNode,
  root: string,
  prepare: () => Promise<void>,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const damaged = await damagedBlocks(node, root, signal);
  if (damaged.length === 0) return false;
  await prepare();
  await node.unpin(root, signal);
  for (const cid of damaged) await node.drop(cid, signal);
  return true;
}

/** Blocks below a root that are absent or not what their CIDs say; what is below them is unseen. */
async function damagedBlocks(
  node: KuboNode,
  root: string,
  signal: AbortSignal | undefined,
): Promise<readonly string[]> {
  const damaged: string[] = [];
  const seen = new Set([root]);
  const waiting = [root];
  const look = async (text: string): Promise<void> => {
    const links = await linksOf(node, text, signal);
    if (links === undefined) damaged.push(text);
    for (const link of links ?? []) {
      if (seen.has(link)) continue;
      seen.add(link);
      waiting.push(link);
    }
  };
  while (waiting.length > 0) await Promise.all(waiting.splice(-askedTogether).map(look));
  return damaged;
}

/** Undefined when the block cannot be what it should be. */
async function linksOf(
  node: KuboNode,
  text: string,
  signal: AbortSignal | undefined,
): Promise<readonly string[] | undefined> {
  try {
    const cid = parseCid(text);
    const bytes = await node.block(text, signal);
    checkBlock({ cid, bytes });
    return decodeNode({ cid, bytes }).links.map((link) => link.toString());
  } catch (error) {
    const failure = EngineError.from(saidBy(error) ? unreadableDag(error, text) : error);
    if (failure.code === "CORRUPT") return undefined;
    throw failure;
  }
}
