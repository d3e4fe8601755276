import type { BlockedCount, BlockReason } from "#model/plan.ts";
import type { Planning } from "#policies/plan/planning.ts";
import type { SqlFragment } from "#policies/sql-fragment.ts";

/** Objects that a rule could not be given what it wants of them. */
export interface BlockedWish {
  readonly ruleIndex: number;
  readonly reason: BlockReason;
  readonly objects: number;
  readonly bytes: number;
  /** Whose limit or budget it was, and how it stands. */
  readonly detail?: string;
}

/**
 * What stood in the way of the rules so far: a few counts, kept here and not in a table, since
 * most steps ask for them or add to them.
 */
export class BlockedWishes {
  #wishes: BlockedWish[] = [];

  get all(): readonly BlockedWish[] {
    return this.#wishes;
  }

  add(wish: BlockedWish): void {
    this.#wishes.push(wish);
  }

  /** Forgets those of a rule that is judged again. */
  forget(ruleIndex: number): void {
    this.keepOnly((index) => index !== ruleIndex);
  }

  /** Forgets those of all other rules. */
  keepOnly(isKept: (ruleIndex: number) => boolean): void {
    this.#wishes = this.#wishes.filter(({ ruleIndex }) => isKept(ruleIndex));
  }

  /** What a statement counted: `rule`, `reason`, `objects`, `bytes`, and `words` if it has them. */
  async count(planning: Planning, statement: SqlFragment): Promise<void> {
    for (const row of await planning.rows(statement)) {
      const { words } = row;
      this.add({
        ruleIndex: Number(row["rule"]),
        reason: row["reason"] as BlockReason,
        objects: Number(row["objects"]),
        bytes: Number(row["bytes"]),
        ...(typeof words === "string" ? { detail: words } : {}),
      });
    }
  }
}

/** What rules wanted and the plan could not give, by rule in set order, reason and limit. */
export function blockedCounts({ rules, blocked }: Planning): readonly BlockedCount[] {
  const sums = new Map<string, BlockedWish>();
  for (const wish of blocked.all) {
    const key = JSON.stringify([wish.ruleIndex, wish.reason, wish.detail]);
    const before = sums.get(key) ?? { objects: 0, bytes: 0 };
    const objects = before.objects + wish.objects;
    sums.set(key, { ...wish, objects, bytes: before.bytes + wish.bytes });
  }
  return [...sums.values()]
    .toSorted(
      (a, b) =>
        a.ruleIndex - b.ruleIndex ||
        compareText(a.reason, b.reason) ||
        compareText(a.detail ?? "", b.detail ?? ""),
    )
    .map(({ ruleIndex, reason, objects, bytes, detail }) => ({
      rule: rules[ruleIndex]?.id ?? "",
      reason,
      objects,
      bytes,
      ...(detail === undefined ? {} : { limit: detail }),
    }));
}

/** By bytes, as the index compares text. */
function compareText(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
