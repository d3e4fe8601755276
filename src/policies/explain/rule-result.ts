import type { Confidence } from "#model/copy.ts";
import type { BlockReason, PlanAction } from "#model/plan.ts";
import { formatDuration } from "#model/quantity.ts";
import type { CompiledPolicySet, CompiledVerb } from "#policies/compiled-policy.ts";
import { actionWords, type BackendNames, wordsOfBlock } from "#policies/explain/action-words.ts";
import { type Lease, leaseWords } from "#policies/explain/lease-words.ts";
import { type CompiledBounds, isBounded } from "#policies/removal-bound.ts";
import { bitCount } from "#policies/plan/mask-sql.ts";
import { eachOnceBits } from "#policies/plan/one-storage.ts";
import { rulesOf } from "#policies/plan/match-words.ts";
import { spreadOf, valuesOf } from "#policies/plan/spread.ts";

/** One object as the planner sees it, and what it decided for it alone. */
export interface ObjectState {
  /** Whether each rule matches, in set order. */
  readonly matches: readonly boolean[];
  readonly names: BackendNames;
  /** Backends with a copy at least this sure. */
  readonly masks: Readonly<Record<Confidence, bigint>>;
  readonly inFlight: bigint;
  readonly held: boolean;
  readonly tombstoned: Date | undefined;
  /** Copies that rules had made for a time, by place of the rule. */
  readonly leases: ReadonlyMap<number, Lease>;
  readonly actions: readonly (Pick<PlanAction, "verb" | "source" | "target" | "victim"> & {
    readonly ruleIndex: number;
  })[];
  readonly blocked: readonly {
    readonly ruleIndex: number;
    readonly reason: BlockReason;
    /** Whose limit it was, or which objects of its collection. */
    readonly detail?: string | undefined;
  }[];
  /** Rules that would have to select all of its collection and do not: which they leave out. */
  readonly incomplete: ReadonlyMap<number, string>;
  /** How many objects before it free what a rule needs, by its place. */
  readonly ahead: ReadonlyMap<number, number>;
}

/** What became of one rule for this object: it applies, is blocked, lost, has what it wants. */
export function ruleResult(set: CompiledPolicySet, index: number, state: ObjectState): string {
  const rule = set.rules[index];
  if (rule === undefined) return "does not match";
  const lease = state.leases.get(index);
  const time = lease && leaseWords(lease, set.moment.now, state.names);
  const isMatch = state.matches[index] === true;
  const incomplete = state.incomplete.get(index);
  if (!isMatch && incomplete !== undefined) return `waits: ${incomplete}`;
  if (!isMatch && lease === undefined) return "does not match";
  if (rule.verb.kind === "hold") return "applies: nothing may remove a copy";
  const own = state.actions.filter(({ ruleIndex }) => ruleIndex === index);
  const refused = state.blocked.filter(({ ruleIndex }) => ruleIndex === index);
  const parts = [
    ...own.map((action) => `applies: ${actionWords(action, state.names, rule.verb)}`),
    ...refused.map((block) => `blocked: ${wordsOfBlock(block)}`),
  ];
  const apart = isMatch && parts.length > 0 ? liesTogether(set, rule.verb, state) : undefined;
  if (apart !== undefined) parts.push(apart);
  if (isMatch && parts.length === 0) parts.push(idleResult(set, index, rule.verb, state));
  return [...parts, ...(time === undefined ? [] : [time])].join("; ");
}

/** Why a matching rule neither acts nor is blocked. */
function idleResult(
  set: CompiledPolicySet,
  index: number,
  verb: CompiledVerb,
  state: ObjectState,
): string {
  const ruleName = (at: number) => set.rules[at]?.id ?? "another rule";
  const deleted = deletingRule(set, state);
  switch (verb.kind) {
    case "ensure": {
      const there = namesIn(state.masks[verb.confidence] & verb.on, state.names);
      const made = state.actions.find(({ target }) => has(verb.on, target));
      if (made !== undefined) return `applies: its copy is made by ${ruleName(made.ruleIndex)}`;
      const coming = copyComing(set, verb, state);
      if (coming !== undefined) return `waits: ${coming}`;
      const copies = bitCount(eachOnceBits(set.moment, state.masks[verb.confidence] & verb.on));
      const words = `satisfied: ${copies} ${verb.confidence} copies (${there.join(", ")})`;
      return verb.per === undefined ? words : `${words} in ${valuesThere(set, verb, state).words}`;
    }
    case "promote":
    case "demote": {
      if (deleted !== undefined) return `lost to ${ruleName(deleted)}: it is to be deleted`;
      const coming = copyComing(set, verb, state);
      if (coming !== undefined) return `waits: ${coming}`;
      const from = state.masks.claimed & verb.from;
      if (from === 0n) return "satisfied: no copy to move";
      if (verb.kind === "promote") return "satisfied: a copy is there";
      if (isBounded(verb)) return withinBounds(verb, state.ahead.get(index) ?? 0);
      return lostTo(set, index, state, verb.from) ?? "satisfied";
    }
    case "evict": {
      if ((state.masks.claimed & verb.from) === 0n) return "satisfied: no copy there";
      if (deleted !== undefined) return `lost to ${ruleName(deleted)}: it is deleted`;
      if (isBounded(verb)) return withinBounds(verb, state.ahead.get(index) ?? 0);
      return lostTo(set, index, state, verb.from) ?? "satisfied";
    }
    case "delete": {
      if (state.masks.claimed === 0n) return "satisfied: no copy is left";
      if (deleted !== undefined && deleted !== index) return `lost to ${ruleName(deleted)}`;
      return `waits: its grace is ${formatDuration(verb.graceMs)}`;
    }
    case "run":
      return "satisfied: it was done, or need not be yet";
    case "hold":
      break;
  }
  return "applies";
}

/** For which matching rules that do nothing now a copy is on its way, by their place, and where to. */
export function rulesWaiting(
  set: CompiledPolicySet,
  state: ObjectState,
): ReadonlyMap<number, string> {
  const waiting = new Map<number, string>();
  for (const [index, { verb }] of set.rules.entries()) {
    const isBusy = [...state.actions, ...state.blocked].some((one) => one.ruleIndex === index);
    if (state.matches[index] !== true || isBusy) continue;
    const coming = copyComing(set, verb, state);
    if (coming !== undefined) waiting.set(index, coming);
  }
  return waiting;
}

/** That what a rule lacks is being copied; undefined where it has it, or others decide. */
function copyComing(
  set: CompiledPolicySet,
  verb: CompiledVerb,
  state: ObjectState,
): string | undefined {
  let wanted = 0n;
  if (verb.kind === "ensure") {
    if (state.actions.some(({ target }) => has(verb.on, target))) return undefined;
    const there = eachOnceBits(set.moment, state.masks[verb.confidence] & verb.on);
    const isEnough = bitCount(there) >= verb.copies.min;
    if (isEnough && liesTogether(set, verb, state) === undefined) return undefined;
    wanted = verb.on;
  } else if (verb.kind === "promote" || verb.kind === "demote") {
    if (deletingRule(set, state) !== undefined) return undefined;
    wanted = verb.to;
  }
  const names = namesIn(state.inFlight & wanted, state.names);
  return names.length === 0 ? undefined : `a copy on ${names.join(" and ")} is on its way`;
}

type Ensure = Extract<CompiledVerb, { kind: "ensure" }>;

/** In how many values of `per` the copies of a rule lie. */
function valuesThere(
  { moment }: CompiledPolicySet,
  { per = "", on, confidence }: Ensure,
  { masks }: ObjectState,
): { readonly values: number; readonly words: string } {
  const values = valuesOf(moment, per, masks[confidence] & on);
  return { values, words: `${values} ${values === 1 ? "value" : "values"} of ${per}` };
}

/** That the copies of a rule lie closer than it wants; undefined where they do not. */
function liesTogether(
  set: CompiledPolicySet,
  verb: CompiledVerb,
  state: ObjectState,
): string | undefined {
  const spread = verb.kind === "ensure" ? spreadOf(set.moment, verb) : undefined;
  if (spread === undefined || verb.kind !== "ensure") return undefined;
  const { values, words } = valuesThere(set, verb, state);
  return values === 0 || values >= spread.values
    ? undefined
    : `its copies lie in ${words}, ${spread.values} are wanted`;
}

/** Why a rule that frees only what is needed does nothing. */
function withinBounds({ quota }: CompiledBounds, ahead: number): string {
  if (ahead > 0) return `waits: ${aheadWords(ahead)}`;
  return quota === undefined
    ? "satisfied: no backend of it is above its mark"
    : `satisfied: what its ${quota.per} uses there is within the quota, or it has no ${quota.per}`;
}

/** Why it is not the turn of an object yet. */
export function aheadWords(ahead: number): string {
  const objects = ahead === 1 ? "1 object" : `${ahead} objects`;
  return `${objects} before it in the order of the rule free what is needed`;
}

/** The earlier rule that has claimed the copies in question. */
function lostTo(
  set: CompiledPolicySet,
  index: number,
  state: ObjectState,
  from: bigint,
): string | undefined {
  const copies = state.masks.claimed & from;
  const winner = rulesOf(set.rules, "evict", "demote").find(
    (rule) =>
      rule.index < index &&
      !isBounded(rule.verb) &&
      state.matches[rule.index] === true &&
      (rule.verb.from & copies) !== 0n,
  );
  return winner && `lost to ${winner.rule.id}, which stands before it`;
}

/** The delete rule that applies to the object; holds and ensures forbid deletion. */
function deletingRule(set: CompiledPolicySet, state: ObjectState): number | undefined {
  const ensured = rulesOf(set.rules, "ensure").some(({ index }) => state.matches[index]);
  if (state.held || ensured) return undefined;
  return rulesOf(set.rules, "delete").find(({ index }) => state.matches[index])?.index;
}

function namesIn(mask: bigint, names: BackendNames): readonly string[] {
  return [...names].filter(([id]) => has(mask, id)).map(([, name]) => name);
}

function has(mask: bigint, backend: number | null): boolean {
  return backend !== null && ((mask >> BigInt(backend)) & 1n) === 1n;
}
