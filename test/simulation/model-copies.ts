import { type Confidence, confidences, type CopyState, type Form } from "#model/copy.ts";

/** What the model knows of one copy. */
export interface KnownCopy {
  readonly form: Form;
  readonly locator: string;
  readonly bytes: number;
  readonly state: CopyState;
  readonly confidence: Confidence;
  readonly checkedAt: number;
  readonly verifiedAt: number | undefined;
}

/** What is now said of one copy; fields left out stay as they were. */
export interface SaidOfCopy {
  readonly object: number;
  readonly backend: number;
  readonly state: CopyState | "gone";
  readonly confidence: Confidence;
  readonly checkedAt: number;
  readonly form?: Form;
  readonly locator?: string;
  readonly bytes?: number;
}

/** The copies of a model index, changed by the rules of the real one (src/index/apply-copies). */
export class ModelCopies {
  readonly #copies = new Map<number, Map<number, KnownCopy>>();

  of(object: number): ReadonlyMap<number, KnownCopy> {
    return this.#copies.get(object) ?? new Map<number, KnownCopy>();
  }

  /** Of several things said of one copy the bad ones count, then the surest, then the last. */
  change(said: readonly SaidOfCopy[]): void {
    const chosen = new Map<string, SaidOfCopy>();
    for (const one of said) {
      const key = `${one.object} ${one.backend}`;
      const before = chosen.get(key);
      if (before === undefined || weight(one) >= weight(before)) chosen.set(key, one);
    }
    for (const one of chosen.values()) this.#apply(one);
  }

  /** What went from another name of the storage: nobody counts on it any more. */
  doubt(object: number, backend: number): void {
    const known = this.of(object).get(backend);
    if (known?.state !== "present") return;
    this.#copies
      .get(object)
      ?.set(backend, { ...known, confidence: "claimed", verifiedAt: undefined });
  }

  #apply(said: SaidOfCopy): void {
    const copies = this.#copies.get(said.object) ?? new Map<number, KnownCopy>();
    this.#copies.set(said.object, copies);
    const known = copies.get(said.backend);
    const { state, confidence, checkedAt, form, locator, bytes } = said;
    if (state === "gone") {
      copies.delete(said.backend);
      return;
    }
    const present = state === "present";
    const sure = confidence === "verified";
    const verifiedAt = present && sure ? checkedAt : undefined;
    if (known === undefined) {
      if (form === undefined || locator === undefined || bytes === undefined) return;
      copies.set(said.backend, { form, locator, bytes, state, confidence, checkedAt, verifiedAt });
      return;
    }
    // Seeing that something is there does not make a corrupt copy good again.
    if (known.state === "corrupt" && present && !sure) return;
    // A check from before it was found damaged, told only now, makes nothing good.
    if (known.state !== "present" && present && checkedAt < known.checkedAt) return;
    const stays = present && known.state === "present" && isSameBytes(known, said);
    const better = stays && rank(known.confidence) > rank(confidence);
    copies.set(said.backend, {
      form: form ?? known.form,
      locator: locator ?? known.locator,
      bytes: bytes ?? known.bytes,
      state,
      confidence: better ? known.confidence : confidence,
      checkedAt,
      verifiedAt: stays ? latest(known.verifiedAt, verifiedAt) : verifiedAt,
    });
  }
}

/** In another form, or a file in another place, are other bytes, which nobody hashed. */
function isSameBytes(known: KnownCopy, { form, locator }: SaidOfCopy): boolean {
  if (form !== undefined && form !== known.form) return false;
  return known.form === "dag" || locator === undefined || locator === known.locator;
}

const rank = (confidence: Confidence) => confidences.indexOf(confidence);

const weight = ({ state, confidence }: SaidOfCopy) =>
  (state === "present" ? 0 : 10) + rank(confidence);

function latest(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return Math.max(a, b);
}
