/** What one node says of its use of one limit. */
export interface ShareAsk {
  readonly node: string;
  /** What it could use, per second; Infinity when its work waits for more. */
  readonly wanted: number;
  /** What it was given before, perhaps by an earlier controller. */
  readonly holding: number | undefined;
}

interface Holder {
  readonly wanted: number;
  readonly granted: number;
  readonly seenAt: number;
}

/** A node that did not ask for this long no longer counts, and its share goes to the others. */
export const shareLeaseMs = 5_000;
/** Even a node that uses little is given this part of an equal share, so that it can begin. */
const smallestPart = 1 / 16;

/**
 * Divides one limit among the nodes that use it: who needs less than an equal part leaves the
 * rest to the others. What has been given out never adds up to more than the limit: a node
 * gets more only when another one has taken note of its smaller share. (A limit that was just
 * lowered, or a controller that just started, is made good with the next question of each node.)
 */
export class ShareTable {
  readonly #holders = new Map<string, Holder>();

  /** The share of a node from now on. What is not limited is not divided. */
  grant(ask: ShareAsk, limit: number | undefined, nowMs: number): number | undefined {
    const { node, wanted } = ask;
    this.#forget(nowMs);
    if (limit === undefined) {
      this.#holders.delete(node);
      return undefined;
    }
    const granted = this.#holders.get(node)?.granted ?? ask.holding ?? 0;
    this.#holders.set(node, { wanted, granted, seenAt: nowMs });
    const fair = fairShares(this.#holders, limit).get(node) ?? 0;
    const others = [...this.#holders].filter(([name]) => name !== node);
    const free = limit - others.reduce((sum, [, holder]) => sum + holder.granted, 0);
    const share = Math.max(0, Math.min(fair, free));
    this.#holders.set(node, { wanted, granted: share, seenAt: nowMs });
    return share;
  }

  /** Names of the nodes that hold a share. */
  nodes(nowMs: number): readonly string[] {
    this.#forget(nowMs);
    return [...this.#holders.keys()];
  }

  /** Whether the work of some node waits for more than it has. */
  hungry(nowMs: number): boolean {
    this.#forget(nowMs);
    return [...this.#holders.values()].some((holder) => holder.wanted === Infinity);
  }

  #forget(nowMs: number): void {
    for (const [node, holder] of this.#holders) {
      if (nowMs - holder.seenAt > shareLeaseMs) this.#holders.delete(node);
    }
  }
}

/**
 * Max-min fair: everyone gets what it wants, or an equal part of what the modest ones leave.
 * What nobody wants is given out all the same, so that no work waits for the next question.
 */
function fairShares(
  holders: ReadonlyMap<string, { readonly wanted: number }>,
  limit: number,
): ReadonlyMap<string, number> {
  const shares = new Map<string, number>();
  const floor = (limit / holders.size) * smallestPart;
  const needs = [...holders].map(([node, { wanted }]) => ({ node, need: Math.max(wanted, floor) }));
  let rest = limit;
  let left = needs.length;
  for (const { node, need } of needs.toSorted((a, b) => a.need - b.need)) {
    const share = Math.min(need, rest / left);
    shares.set(node, share);
    rest -= share;
    left -= 1;
  }
  for (const [node, share] of shares) shares.set(node, share + rest / shares.size);
  return shares;
}
