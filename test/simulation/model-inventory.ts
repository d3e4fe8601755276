import type { Evidence } from "#model/copy.ts";
import type { ListedCopy } from "#model/driver.ts";
import type { DriftReport } from "#model/index-store.ts";
import type { SaidOfCopy } from "./model-copies.ts";
import type { ModelState } from "./model-state.ts";

const states = { present: "present", absent: "lost", corrupt: "corrupt" } as const;

/** Notes what checks found, as src/index/record-evidence does. */
export function recordEvidence(state: ModelState, evidence: readonly Evidence[]): void {
  state.copies.change(
    evidence.flatMap(({ cid, backend, finding, confidence, checkedAt }) => {
      const object = state.objects.findIndex((one) => one.cid === cid);
      if (object < 0) return [];
      const what = { object, backend: state.names.indexOf(backend), state: states[finding] };
      return [{ ...what, confidence, checkedAt: Date.parse(checkedAt) }];
    }),
  );
}

/** Compares a listing with what is known, as src/index/reconcile does. */
export async function reconcile(
  state: ModelState,
  name: string,
  listed: AsyncIterable<ListedCopy>,
  now: Date,
): Promise<DriftReport> {
  const seen = new Map((await Array.fromAsync(listed)).map((one) => [one.cid, one.copy]));
  const backend = state.names.indexOf(name);
  const at = now.getTime();
  const changes = state.objects.flatMap(({ cid }, object): SaidOfCopy[] => {
    const known = state.copies.of(object).get(backend);
    const found = seen.get(cid);
    const about = { object, backend, confidence: "listed", checkedAt: at } as const;
    if (known !== undefined && known.checkedAt >= at) return [];
    if (found === undefined) return known?.state === "present" ? [{ ...about, state: "lost" }] : [];
    const removed = wasRemovedSince(state, object, backend, at);
    if ((known === undefined && removed) || known?.state === "corrupt") return [];
    const damaged = known?.state === "present" && known.bytes !== found.bytes;
    return [{ ...about, ...found, state: damaged ? "corrupt" : "present" }];
  });
  state.copies.change(changes);
  return { backend: name, listed: seen.size, confirmed: 0, lost: 0, unexpected: 0, changed: 0 };
}

function wasRemovedSince(state: ModelState, object: number, backend: number, at: number): boolean {
  return state.permits
    .all()
    .filter((permit) => permit.objectId === object && permit.backendId === backend)
    .some((permit) => permit.state === "done" && (permit.endedAt ?? 0) >= at);
}
