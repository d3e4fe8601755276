import type { Confidence } from "#model/copy.ts";
import type { CopyRequirement } from "#model/plan.ts";
import type { Backend } from "#model/backend.ts";
import type { CompiledRule } from "#policies/compiled-policy.ts";
import { leaseRules } from "#policies/plan/lease.ts";
import { anyMask, confidenceColumn, maskSql, without } from "#policies/plan/mask-sql.ts";
import { matched, rulesOf } from "#policies/plan/match-words.ts";
import { copiesOn, withSame, withSameBits } from "#policies/plan/one-storage.ts";
import type { Planning } from "#policies/plan/planning.ts";
import { type Spread, spreadOf, valuesNamed, valuesOn } from "#policies/plan/spread.ts";
import { joinFragments, sql, type SqlFragment, trusted } from "#policies/sql-fragment.ts";

/** "Objects that this rule matches keep at least `copies` copies among `on`." */
export interface CopyPromise {
  readonly index: number;
  readonly rule: string;
  readonly on: bigint;
  readonly copies: number;
  readonly confidence: Confidence;
  /** And in how many values of `per` they lie, or as many as they lie in. */
  readonly spread?: Spread;
}

/**
 * What matching rules promise: each ensure its minimum, each demote and promote one verified
 * copy on its target. A removal must break none of them.
 */
export function copyPromises(
  rules: readonly CompiledRule[],
  backends: readonly Backend[],
): readonly CopyPromise[] {
  const ensured = rulesOf(rules, "ensure").map(({ index, rule, verb }) => {
    const spread = spreadOf({ backends }, verb);
    return {
      index,
      rule: rule.id,
      on: verb.on,
      copies: verb.copies.min,
      confidence: verb.confidence,
      ...(spread === undefined ? {} : { spread }),
    };
  });
  const moved = rulesOf(rules, "demote", "promote").map(({ index, rule, verb }) => ({
    index,
    rule: rule.id,
    on: verb.to,
    copies: 1,
    confidence: "verified" as const,
  }));
  return [...ensured, ...moved];
}

/** The same as it is written beside a removal, and judged again before it. */
export function requirementOf({
  rule,
  on,
  copies,
  confidence,
  spread,
}: CopyPromise): CopyRequirement {
  const requirement = { rule, backends: on.toString(), copies, confidence };
  if (spread === undefined) return requirement;
  const groups = spread.groups.map(String);
  return { ...requirement, spread: { per: spread.per, values: spread.values, groups } };
}

/** The state in which a removal is judged; masks over a candidate with alias `c`. */
export interface RemovalState {
  /** Copies that will be there, verified, before the removal. */
  readonly gained: SqlFragment;
  /** Copies given up before it. */
  readonly gone: SqlFragment;
  /** Index of a demote rule: its target must hold a copy, whoever else asks. */
  readonly demote?: number;
}

/**
 * True when the copy at `bit` may go: enough verified copies remain, no rule wants this very
 * copy for a time, and each promise that counts on this backend is still kept afterwards.
 */
export function mayGo(
  planning: Planning,
  bit: bigint | SqlFragment,
  { gained, gone, demote }: RemovalState,
): SqlFragment {
  // What goes from one name of a storage goes from all.
  const victims = typeof bit === "bigint" ? withSameBits(planning, bit) : undefined;
  const victim = victims === undefined ? withSame(planning, bit as SqlFragment) : maskSql(victims);
  const left = (column: string) =>
    without(anyMask(trusted(`c.${column}`), gained), withSame(planning, gone), victim);
  const tests = [
    sql`${copiesOn(planning, left("verified_mask"))} >= ${planning.minimumCopies}::INTEGER`,
    ...(leaseRules(planning.rules).length === 0 ? [] : [sql`(c.leased & ${victim}) = 0`]),
    ...copyPromises(planning.rules, planning.backends).flatMap((promise) => {
      const own = promise.index === demote;
      if (victims !== undefined && (promise.on & victims) === 0n && !own) return [];
      const spared = sql`(${maskSql(promise.on)} & ${victim}) = 0`;
      const there = sql`${left(confidenceColumn(promise.confidence))}
          & ${maskSql(promise.on)}`;
      const enough = sql`${copiesOn(planning, there)} >= ${promise.copies}::INTEGER`;
      const kept = andSpread(planning, promise, { enough, there, victim });
      return [own ? kept : sql`(NOT ${matched(promise.index)} OR ${spared} OR ${kept})`];
    }),
  ];
  return sql`(${joinFragments(tests, "\nAND ")})`;
}

/**
 * Beside enough copies, as many values of `per` as are promised, or no fewer than before: where
 * copies lie closer already, what shares its value with one that stays may go. An unproven copy of
 * another value stays: it can be checked where it is. Where storages have several names, before it
 * every name counts and afterwards one of each: so no permit finds more before, nor fewer after.
 */
function andSpread(
  planning: Planning,
  { spread, on }: CopyPromise,
  { enough, there, victim }: Readonly<Record<"enough" | "there" | "victim", SqlFragment>>,
): SqlFragment {
  if (spread === undefined) return enough;
  const lost = sql`(c.present_mask & ${maskSql(on)} & ${victim})`;
  const after = valuesOn(planning, spread, there);
  const before = valuesNamed(spread, sql`((${there}) | ${lost})`);
  return sql`(${enough} AND (${after} >= ${spread.values}::INTEGER OR ${after} >= ${before}))`;
}

/** Why the copies `left` of a candidate stay: the floor of verified copies, or a promise. */
export function whyKept(planning: Planning, left: SqlFragment, state: RemovalState): SqlFragment {
  const first = withSame(planning, sql`(${left} & -(${left}))`);
  const gone = withSame(planning, state.gone);
  const after = without(anyMask(trusted("c.verified_mask"), state.gained), gone, first);
  return sql`CASE WHEN ${copiesOn(planning, after)}
    < ${planning.minimumCopies}::INTEGER THEN 'minimum-copies' ELSE 'ensure' END`;
}
