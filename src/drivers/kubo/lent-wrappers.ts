import { isLentWrapper, mayBeWrapper } from "#drivers/contract/lent-wrapper.ts";
import { saidBy } from "#drivers/kubo/kubo-error.ts";
import type { KuboNode } from "#drivers/kubo/kubo-node.ts";

/** So many blocks are asked for at a time. */
const askedTogether = 16;

/** Those of some pinned roots that only keep what the node lends to a service. */
export async function lentWrappers(
  node: KuboNode,
  cids: readonly string[],
  signal: AbortSignal | undefined,
): Promise<ReadonlySet<string>> {
  const lent = new Set<string>();
  const look = async (cid: string): Promise<void> => {
    if (await isWrapper(node, cid, signal)) lent.add(cid);
  };
  const waiting = cids.filter(mayBeWrapper);
  while (waiting.length > 0) await Promise.all(waiting.splice(-askedTogether).map(look));
  return lent;
}

/** What the node cannot read is a pin like others: its own check says what is wrong with it. */
async function isWrapper(
  node: KuboNode,
  cid: string,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  try {
    return isLentWrapper(await node.block(cid, signal));
  } catch (error) {
    if (saidBy(error) === undefined) throw error;
    return false;
  }
}
