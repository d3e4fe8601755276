import type { DispatchIndex } from "#jobs/dispatch-context.ts";
import type { PolicyWord } from "#model/policy-word.ts";
import { outcomeUnknownAfter, type RemovalPermit } from "#model/removal.ts";
import { damage, type Faults } from "./faults.ts";
import { lostSpread } from "./kept-spread.ts";
import type { CheckAnswer, ModelBackend, RemovalWatcher, StoredThing } from "./model-backend.ts";
import { numberOf } from "./samples.ts";
import type { Scheduler } from "./scheduler.ts";
import type { SimulatedNode } from "./simulated-node.ts";
import type { Setup } from "./world.ts";
import { simulationStart } from "./virtual-time.ts";

/**
 * A removal is asked for while the permit counts by the clock of its worker, and takes effect
 * within the thirty seconds for which it is waited for, and the way there.
 */
const overrunMaxMs = 30_000 + 4_000;
/** A worker that works has heard the controller's clock so long before it was permitted, at least. */
const unheardMaxMs = 240_000;
/** So far a clock of a node may be from the true time, where clocks are wrong. */
const clockErrorMaxMs = 40_000;

/**
 * Checks every removal at the very moment it happens, against the truth:
 *
 * 1. The single writer issued this permit for this copy, and it has not run out (but for what
 *    clocks and calls under way may differ).
 * 2. The worker asked for every copy that must remain after the permit was issued, and was told
 *    that it is there.
 * 3. Each of these is there now and intact. Excused is only what nobody could know: damage after
 *    the last full check, or a backend that answered untruly. Never excused is a removal.
 * 4. At least the minimum of verified copies is among them; without damage from outside, so many
 *    intact copies really remain.
 * 5. No hold was on the object when the permit was issued.
 * 6. A deletion is permitted only when nobody read, held or handed in the object for as long as
 *    its grace; what was handed in and called safe since stays.
 * 7. No permit is issued for a copy on which another one still rests, or rests on a copy that
 *    another one may still remove.
 * 8. What policies promised when it was issued is kept: no permit deletes what they wanted, and
 *    one for a copy that counts rests on as many as they wanted.
 * 9. Where every removal has to leave a spread, there are always as many copies and values as it asks
 *    for, or as there were, with one copy on each storage, whatever it is called.
 *
 * And of what the index is told: a copy that it calls removed has really been gone, and one that
 * it knows to be damaged justifies no removal.
 */
export class Promises implements RemovalWatcher {
  readonly violations: string[] = [];
  readonly removals: {
    readonly permit: string;
    readonly object: number;
    readonly backend: string;
    readonly at: number;
  }[] = [];
  readonly held = new Set<number>();
  readonly heldByPolicy = new Set<number>();
  /** What policies want of objects now, though plans under way were made without it. */
  readonly byPolicy = new Map<number, PolicyWord>();
  readonly #wantedAt = new Map<number, number>();
  readonly #handedInAt = new Map<string, number>();
  readonly #graceMs: number;
  readonly #setup: Pick<Setup, "backends" | "keeps">;
  readonly #issued = new Map<string, { permit: RemovalPermit; at: number; held: boolean }>();
  /** Permits of which nobody knows yet how they were used. */
  readonly #open = new Set<string>();
  readonly #answers = new Map<string, CheckAnswer>();
  readonly #fullAt = new Map<string, number>();
  /** Since when the index knows that a copy is damaged or lost. */
  readonly #known = new Map<string, { readonly at: number; readonly checked: number }>();
  readonly #clocksAreWrong: boolean;
  /** What the controller's clock was set to be off, and from when on. */
  readonly #clock: { readonly from: number; readonly offMs: number }[] = [{ from: 0, offMs: 0 }];
  readonly #scheduler: Scheduler;
  readonly #backends: ReadonlyMap<string, ModelBackend>;
  readonly #minimumCopies: number;
  readonly #damage: boolean;
  readonly #stale: boolean;
  readonly #overrunMs: number;

  constructor(
    scheduler: Scheduler,
    backends: ReadonlyMap<string, ModelBackend>,
    setup: Pick<Setup, "backends" | "minimumCopies" | "graceMs" | "keeps">,
    faults: Faults,
  ) {
    const { minimumCopies, graceMs = 0 } = setup;
    this.#setup = setup;
    this.#graceMs = graceMs;
    this.#scheduler = scheduler;
    this.#backends = backends;
    this.#minimumCopies = minimumCopies;
    const { enabled } = faults;
    const differ = enabled.has("clock-skew") || enabled.has("clock-jump");
    this.#clocksAreWrong = differ || enabled.has("clock-step");
    this.#overrunMs = overrunMaxMs + (differ ? clockErrorMaxMs : 0);
    this.#stale = faults.enabled.has("stale-answer");
    this.#damage = [...damage].some((kind) => faults.enabled.has(kind));
  }

  /** Somebody showed that the object is not done with: a mark from before counts no more. */
  wanted(object: number): void {
    this.#wantedAt.set(object, this.#scheduler.now);
  }

  /** The index said that content is safe at a place now. */
  handedIn(object: number, backend: string): void {
    this.wanted(object);
    this.#handedInAt.set(`${object} ${backend}`, this.#scheduler.now);
  }

  /** The clock of the controllers is so far from the true time from now on. */
  clockSet(offMs: number): void {
    this.#clock.push({ from: this.#scheduler.now, offMs });
  }

  /** The earliest it may be now by the controller's clock, for who heard it since that moment. */
  #earliestTime(since: number): number {
    const known = this.#clock.filter((_, at) => (this.#clock[at + 1]?.from ?? Infinity) > since);
    return this.#scheduler.now + Math.min(...known.map(({ offMs }) => offMs));
  }

  issued(permit: RemovalPermit): void {
    if (this.#issued.has(permit.id)) return;
    const object = numberOf(permit.cid);
    const held = this.held.has(object) || this.heldByPolicy.has(object);
    const graceFrom = (this.#wantedAt.get(object) ?? 0) + this.#graceMs;
    if (permit.authority === "delete" && this.#scheduler.now < graceFrom) {
      this.violations.push(`permit ${permit.id} deletes object ${object} within its grace`);
    }
    this.#compareWithPolicies(permit, object);
    for (const { permit: other } of this.#issued.values()) this.#compare(permit, other);
    this.#open.add(permit.id);
    this.#issued.set(permit.id, { permit, at: this.#scheduler.now, held });
  }

  #compareWithPolicies(permit: RemovalPermit, object: number): void {
    const { kept, promises = [] } = this.byPolicy.get(object) ?? {};
    if (permit.authority === "delete") {
      if (kept === undefined) return;
      this.violations.push(`permit ${permit.id} deletes object ${object}, which a policy keeps`);
      return;
    }
    const ids = [...this.#backends.keys()];
    const counts = (mask: string, name: string) => (BigInt(mask) >> BigInt(ids.indexOf(name))) & 1n;
    for (const { backends, copies } of promises) {
      if (counts(backends, permit.backend) === 0n) continue;
      const left = permit.reserved.filter(({ backend }) => counts(backends, backend) === 1n);
      if (left.length >= copies) continue;
      this.violations.push(
        `permit ${permit.id} rests on ${left.length} copies where a policy wants ${copies}`,
      );
    }
  }

  #compare(permit: RemovalPermit, other: RemovalPermit): void {
    if (permit.cid !== other.cid) return;
    const broken = (what: string) => {
      this.violations.push(`permit ${permit.id} is issued: permit ${other.id} ${what}`);
    };
    if (this.#open.has(other.id) && rests(other, permit)) broken("rests on that copy");
    const mayRemove = this.#open.has(other.id) || other.expiresAt > permit.issuedAt;
    if (mayRemove && rests(permit, other)) broken("may remove a copy on which it rests");
  }

  /** The controller told the index something. */
  told(what: keyof DispatchIndex, values: readonly unknown[]): void {
    if (what === "settlePermit") {
      const [id, evidence] = values as Parameters<DispatchIndex["settlePermit"]>;
      this.#open.delete(id);
      if (evidence.finding === "absent") this.#calledRemoved(id);
    }
    if (what === "commitRemovals") {
      const [{ runId }, outcomes] = values as Parameters<DispatchIndex["commitRemovals"]>;
      for (const one of outcomes) {
        const unknown = one.outcome === "failed" && outcomeUnknownAfter.has(one.code);
        if (!unknown) this.#ended(`${runId}-${one.sequence}`);
        if (one.outcome === "done") this.#calledRemoved(one.proof.permitId);
      }
    }
    if (what === "recordEvidence") {
      const [evidence] = values as Parameters<DispatchIndex["recordEvidence"]>;
      for (const { backend, cid, finding, checkedAt } of evidence) {
        const key = `${backend} ${cid}`;
        const checked = Date.parse(checkedAt);
        const known = this.#known.get(key);
        const late = known !== undefined && checked < known.checked && !this.#clocksAreWrong;
        // A check from before that is told only now says nothing of what was found since.
        if (finding !== "present") this.#known.set(key, { at: this.#scheduler.now, checked });
        else if (!late) this.#known.delete(key);
      }
    }
  }

  /** The permit of an action was reported on: its first one, or one after that ran out. */
  #ended(first: string): void {
    for (const id of this.#open)
      if (id === first || id.startsWith(`${first}-`)) this.#open.delete(id);
  }

  #calledRemoved(id: string): void {
    const known = this.#issued.get(id);
    if (known === undefined || this.#stale) return;
    const { backend, cid } = known.permit;
    // What was there all the time since the permit was issued cannot have been removed.
    if (this.#backends.get(backend)?.wasAbsentSince(cid, known.at) !== false) return;
    const where = `object ${numberOf(cid)} on ${backend}`;
    this.violations.push(`the index is told that ${where} is gone (${id}), and it is there`);
  }

  /** A batch was handed out although something had stood against it since before the round. */
  handedOut(run: string, batch: number, why: string): void {
    this.violations.push(`batch ${batch} of ${run} is handed out although ${why}`);
  }

  checked(answer: CheckAnswer): void {
    const { node, backend, cid } = answer;
    // Two actions may ask at a time: what counts is that one was told of the copy, however late
    // another one hears what it asked before.
    const key = `${node.toString()} ${backend} ${cid}`;
    const newest = answer.at >= (this.#answers.get(key)?.at ?? 0);
    if (answer.present && newest) this.#answers.set(key, answer);
    if (answer.full && answer.present) this.#fullAt.set(`${backend} ${cid}`, answer.at);
  }

  removing(backend: string, { cid }: StoredThing, carried: RemovalPermit, by: SimulatedNode): void {
    const number = numberOf(cid);
    const broken = (what: string) => {
      const when = `${(this.#scheduler.now / 1_000).toFixed(3)} s`;
      this.violations.push(`${when}: object ${number} is removed from ${backend}: ${what}`);
    };
    this.#scheduler.note(() => `REMOVED object ${number} from ${backend} with ${carried.id}`);
    this.removals.push({ permit: carried.id, object: number, backend, at: this.#scheduler.now });
    const known = this.#issued.get(carried.id);
    if (known === undefined) {
      broken("nobody issued this permit");
      return;
    }
    const { permit } = known;
    if (permit.backend !== backend || permit.cid !== cid) broken("the permit is for another copy");
    const expiresAt = Date.parse(permit.expiresAt) - simulationStart.getTime();
    const earliest = this.#earliestTime(known.at - unheardMaxMs);
    if (earliest > expiresAt + this.#overrunMs) broken("the permit ran out long before");
    if (known.held) broken("a hold was on it when the permit was issued");
    if (permit.authority === "delete") {
      const handedIn = this.#handedInAt.get(`${number} ${backend}`);
      if (handedIn !== undefined && handedIn > known.at) broken("it was called safe there since");
      return;
    }
    // Once reported on, a permit reserves nothing more (decision 0021). A call of a worker that had
    // lost its job, asked for before, may take effect now: the victim has counted as gone since.
    const reservedCopies = this.#open.has(permit.id) ? permit.reserved : [];
    for (const reserved of reservedCopies) {
      const found = this.#problemOf(reserved.backend, cid, known.at, by);
      if (found !== undefined) broken(found);
    }
    const sure = permit.reserved.filter(({ confidence }) => confidence === "verified");
    if (sure.length < this.#minimumCopies) broken("too few verified copies are reserved");
    const storage = this.#backends.get(backend);
    const left = [...this.#backends.values()].filter(
      (other) => storage?.isStorageOf(other) === false && other.get(cid)?.intact === true,
    );
    const { backends, keeps } = this.#setup;
    if (keeps !== undefined && !this.#damage) {
      const before = [...this.#backends.values()].filter((one) => one.asOf(cid, 0) !== undefined);
      const lost = lostSpread(keeps, backends, before, left);
      if (lost !== undefined) broken(lost);
    }
    if (!this.#damage && left.length < this.#minimumCopies) {
      broken(`${left.length} copies are left, ${this.#minimumCopies} must be`);
    }
  }

  #problemOf(
    backend: string,
    cid: string,
    issuedAt: number,
    by: SimulatedNode,
  ): string | undefined {
    const answer = this.#answers.get(`${by.toString()} ${backend} ${cid}`);
    if (answer === undefined || answer.at < issuedAt) {
      return `nobody looked for the copy on ${backend} that must remain`;
    }
    const truth = this.#backends.get(backend);
    if (truth === undefined || truth.get(cid)?.intact === true || !answer.truthful)
      return undefined;
    const key = `${backend} ${cid}`;
    const atStart = truth.asOf(cid, 0) === undefined ? Infinity : 0;
    const harmedAt = truth.harmedAt(cid);
    const knownAt = this.#known.get(key)?.at ?? Infinity;
    const isKnown = knownAt >= harmedAt && knownAt < issuedAt;
    if (harmedAt > (this.#fullAt.get(key) ?? atStart) && !isKnown) return undefined;
    return `the copy on ${backend} that must remain is not there any more`;
  }
}

function rests({ reserved }: RemovalPermit, { backend }: RemovalPermit): boolean {
  return reserved.some((copy) => copy.backend === backend);
}
