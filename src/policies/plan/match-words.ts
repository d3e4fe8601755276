import type { CompiledRule, CompiledVerb } from "#policies/compiled-policy.ts";
import { maskSql } from "#policies/plan/mask-sql.ts";
import { joinFragments, sql, type SqlFragment, trusted } from "#policies/sql-fragment.ts";

/** Rules that match an object are bits in the columns `w0`, `w1`, … of its candidate row. */
const rulesPerWord = 62;

export function wordOf(rule: number): { readonly word: number; readonly bit: bigint } {
  return { word: Math.floor(rule / rulesPerWord), bit: 1n << BigInt(rule % rulesPerWord) };
}

export function wordCount(rules: readonly CompiledRule[]): number {
  return Math.max(1, Math.ceil(rules.length / rulesPerWord));
}

/** The names of these columns. */
export function wordNames(rules: readonly CompiledRule[]): readonly string[] {
  return Array.from({ length: wordCount(rules) }, (_, word) => `w${word}`);
}

/** The bits of the rules of a word whose tests hold. */
export function wordSum(
  rules: readonly CompiledRule[],
  word: number,
  test: (rule: CompiledRule, index: number) => SqlFragment | undefined,
): SqlFragment {
  const terms = rules.flatMap((rule, index) => {
    const place = wordOf(index);
    const predicate = place.word === word ? test(rule, index) : undefined;
    return predicate ? [sql`CASE WHEN ${predicate} THEN ${maskSql(place.bit)} ELSE 0 END`] : [];
  });
  return terms.length === 0 ? trusted("0::BIGINT") : sql`(${joinFragments(terms, " | ")})`;
}

/** True for candidates (alias `c`) that the rule at this place in the set matches. */
export function matched(rule: number): SqlFragment {
  return matchedAny([rule]);
}

/** True for candidates that at least one of the rules matches. */
export function matchedAny(rules: readonly number[]): SqlFragment {
  const masks = new Map<number, bigint>();
  for (const rule of rules) {
    const { word, bit } = wordOf(rule);
    masks.set(word, (masks.get(word) ?? 0n) | bit);
  }
  if (masks.size === 0) return trusted("false");
  const tests = [...masks].map(([word, mask]) => trusted(`(c.w${word} & ${mask}) <> 0`));
  return sql`(${joinFragments(tests, " OR ")})`;
}

/** A rule of one verb with its place in the set. */
export interface PlacedRule<Kind extends VerbKind> {
  readonly index: number;
  readonly rule: CompiledRule;
  readonly verb: VerbOf<Kind>;
}

type VerbKind = CompiledVerb["kind"];
type VerbOf<Kind extends VerbKind, Verb = CompiledVerb> = Verb extends { kind: infer Own }
  ? Kind & Own extends never
    ? never
    : Verb & { readonly kind: Kind & Own }
  : never;

/** The rules of the given verbs, in set order. */
export function rulesOf<const Kind extends VerbKind>(
  rules: readonly CompiledRule[],
  ...kinds: readonly Kind[]
): readonly PlacedRule<Kind>[] {
  return rules.flatMap((rule, index) =>
    (kinds as readonly string[]).includes(rule.verb.kind)
      ? [{ index, rule, verb: rule.verb as VerbOf<Kind> }]
      : [],
  );
}
