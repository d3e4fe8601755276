import type { BeingDeleted, NewObject, PutSummary } from "#model/index-store.ts";
import { permitMarginMs } from "#model/removal.ts";
import { isOpen } from "./model-permits.ts";
import type { ModelState } from "./model-state.ts";

/** Adds objects, or merges them with what is known, as src/index/put-objects does. */
export function putObjects(
  state: ModelState,
  objects: readonly NewObject[],
  now: Date,
): PutSummary {
  const summary = { added: 0, known: 0, copies: 0 };
  const beingDeleted: BeingDeleted[] = [];
  for (const given of objects) {
    const deletion = deletionOf(state, given, now.getTime());
    if (deletion !== undefined) {
      beingDeleted.push(deletion);
      continue;
    }
    const { cid, size, profile } = given;
    const known = state.objects.findIndex((one) => one.cid === cid);
    const fresh = { cid, size, profile, held: false, tombstoned: undefined };
    const object = known >= 0 ? known : state.objects.push(fresh) - 1;
    summary[known >= 0 ? "known" : "added"] += 1;
    summary.copies += given.copies.length;
    state.object(object).tombstoned = undefined;
    state.copies.change(
      given.copies.map(({ backend, copy, state: is, confidence, checkedAt }) => ({
        ...copy,
        object,
        backend: state.names.indexOf(backend),
        state: is,
        confidence,
        checkedAt: checkedAt.getTime(),
      })),
    );
  }
  return { ...summary, beingDeleted };
}

/** Takes the mark for deletion away, as a read after it does while there is a copy. */
export function liftMark(state: ModelState, object: number, readAt: number): void {
  const known = state.object(object);
  if (known.tombstoned === undefined || readAt < known.tombstoned) return;
  if (presentCopies(state, object).length > 0) known.tombstoned = undefined;
}

export function presentCopies(state: ModelState, object: number): readonly number[] {
  const present = [...state.copies.of(object)].filter(([, copy]) => copy.state === "present");
  return present.map(([backend]) => backend).toSorted((a, b) => a - b);
}

function deletionOf(state: ModelState, given: NewObject, now: number): BeingDeleted | undefined {
  const places = given.copies.map(({ backend }) => backend);
  const permit = state.permits
    .all()
    .filter(({ cid, authority }) => cid === given.cid && authority === "delete")
    .filter(({ backend }) => places.includes(backend))
    .find((one) => isOpen(one) || Date.parse(one.expiresAt) > now - permitMarginMs());
  if (permit === undefined) return undefined;
  const until = new Date(Date.parse(permit.expiresAt) + permitMarginMs());
  return { cid: given.cid, backend: permit.backend, permitId: permit.id, until };
}
