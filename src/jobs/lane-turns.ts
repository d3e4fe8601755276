/** One run that has batches for a lane. */
export interface LaneClaim {
  readonly runId: string;
  readonly priority: number;
  /** Batches of it that are queued on the lane already. */
  readonly queued: number;
  /** Batches that may be enqueued now. */
  readonly ready: number;
}

/** A run that gets nothing rises by one step of priority in this time. */
export const ageStepMs = 60_000;

/**
 * Who may fill the free places of a lane. The highest priority goes first, runs of the same
 * priority get equal shares, and a run that waits rises until it is served: nothing starves,
 * whatever is applied after it. What was served starts again at its own priority.
 */
export class LaneTurns {
  /** Since when (milliseconds) a run waits for a place on a lane. */
  readonly #waiting = new Map<string, number>();

  /** How many batches of each run to enqueue, the runs in the order in which to do so. */
  share(
    lane: string,
    free: number,
    claims: readonly LaneClaim[],
    nowMs: number,
  ): ReadonlyMap<string, number> {
    this.#forget(lane, claims);
    const ranked = claims.map((claim) => ({ ...claim, level: this.#level(lane, claim, nowMs) }));
    const given = new Map<string, number>();
    let rest = free;
    for (const level of [...new Set(ranked.map((claim) => claim.level))].toSorted(descending)) {
      const peers = ranked.filter((claim) => claim.level === level);
      for (const [runId, count] of equalShares(rest, peers)) {
        given.set(runId, count);
        rest -= count;
      }
    }
    for (const runId of given.keys()) this.#waiting.set(keyOf(lane, runId), nowMs);
    return given;
  }

  #level(lane: string, claim: LaneClaim, nowMs: number): number {
    const key = keyOf(lane, claim.runId);
    const since = this.#waiting.get(key) ?? nowMs;
    this.#waiting.set(key, since);
    return claim.priority + Math.floor((nowMs - since) / ageStepMs);
  }

  /** A run that ended, or has nothing more for the lane, does not wait. */
  #forget(lane: string, claims: readonly LaneClaim[]): void {
    const keys = new Set(claims.map((claim) => keyOf(lane, claim.runId)));
    for (const key of this.#waiting.keys()) {
      if (key.startsWith(keyOf(lane, "")) && !keys.has(key)) this.#waiting.delete(key);
    }
  }
}

/** Fills up the runs that have least on the lane, until the places or the batches run out. */
function equalShares(places: number, claims: readonly LaneClaim[]): ReadonlyMap<string, number> {
  const given = new Map<string, number>();
  const has = (claim: LaneClaim) => claim.queued + (given.get(claim.runId) ?? 0);
  for (let rest = places; rest > 0; rest -= 1) {
    let poorest: LaneClaim | undefined;
    for (const claim of claims) {
      if (claim.ready <= (given.get(claim.runId) ?? 0)) continue;
      if (poorest === undefined || has(claim) < has(poorest)) poorest = claim;
    }
    if (poorest === undefined) break;
    given.set(poorest.runId, (given.get(poorest.runId) ?? 0) + 1);
  }
  return given;
}

function keyOf(lane: string, runId: string): string {
  return `${lane}\n${runId}`;
}

function descending(a: number, b: number): number {
  return b - a;
}
