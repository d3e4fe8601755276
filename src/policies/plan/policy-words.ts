import type { Backend } from "#model/backend.ts";
import type { PolicyRefusal, PolicyWord, PolicyWords } from "#model/policy-word.ts";
import { formatDuration } from "#model/quantity.ts";
import type { ReadSession, SqlRow } from "#model/sql.ts";
import type { CompiledPolicySet, CompiledRule } from "#policies/compiled-policy.ts";
import { HeatBounds } from "#policies/heat-bounds.ts";
import { copyPromises, requirementOf } from "#policies/plan/copy-promise.ts";
import {
  type PlacedRule,
  rulesOf,
  wordNames,
  wordOf,
  wordSum,
} from "#policies/plan/match-words.ts";
import { groupRules } from "#policies/plan/group.ts";
import { Planning } from "#policies/plan/planning.ts";
import { leaseColumns, leaseRules } from "#policies/plan/lease.ts";
import { readTests } from "#policies/plan/scan-candidates.ts";
import { joinFragments, sql, trusted } from "#policies/sql-fragment.ts";

/**
 * What a policy set says of some objects at its moment, by the tests with which plans are made: for
 * removals that were planned before. Every object that is asked about has an entry.
 */
export async function policyWords(
  set: CompiledPolicySet,
  session: ReadSession,
  objects: readonly number[],
  heats = new HeatBounds(),
): Promise<PolicyWords> {
  if (objects.length === 0) return new Map();
  const rules = await heats.bind(set.rules.flatMap(askedRule), session);
  // Of an object that the index does not show, nobody wants anything.
  const silent: PolicyWord = { kept: unwanted };
  const words = new Map(objects.map((objectId) => [objectId, silent]));
  if (rules.length === 0) return words;
  const safety = { minimumCopies: 1, headRoomShare: 0 };
  const planning = new Planning({ ...set, rules }, session, safety);
  const names = wordNames(rules);
  const wordOfMatches = reader(rules, planning.backends);
  const known = new Map<string, PolicyWord>();
  for (const row of await readRows(planning, objects)) {
    const leased = BigInt(row["leased"] as bigint | number);
    const matched = names.map((name) => BigInt(row[name] as bigint | number));
    const key = [leased, ...matched].join();
    const word = known.get(key) ?? wordOfMatches(matched, leased);
    known.set(key, word);
    words.set(Number(row["object_id"]), word);
  }
  return words;
}

/** Few objects have further names: whether these have is seen in the answer about them. */
async function readRows(
  planning: Planning,
  objects: readonly number[],
): Promise<readonly SqlRow[]> {
  const { rules } = planning;
  // Collections are of objects that are not asked about.
  if (groupRules(rules).length > 0) return await readWords(planning, objects, "all-names");
  const rows = await readWords(planning, objects, "one-name");
  const asksNames = rules.some(({ whereByName }) => whereByName !== undefined);
  const isSure = !asksNames || rows.every((row) => Number(row["names"]) <= 1);
  return isSure ? rows : await readWords(planning, objects, "all-names");
}

/** The rules that match each object, as words, and where it has copies that are wanted for a time. */
async function readWords(
  planning: Planning,
  objects: readonly number[],
  names: "all-names" | "one-name",
): Promise<readonly SqlRow[]> {
  const { rules } = planning;
  const { from, fits } = await readTests(planning, objects, names);
  const [leased = trusted("0::BIGINT AS leased")] =
    leaseRules(rules).length === 0 ? [] : leaseColumns(planning);
  const words = wordNames(rules).map(
    (name, word) => sql`${wordSum(rules, word, fits)} AS ${trusted(name)}`,
  );
  // One text, whatever the number of objects: a statement with a thousand numbers takes longer.
  const ids = sql`SELECT unnest(string_split(${objects.map(Number).join()}::VARCHAR, ',')::BIGINT[])`;
  return await planning.rows(sql`SELECT o.object_id, o.names, ${leased}, ${joinFragments(words, ", ")}
    FROM ${from} WHERE o.object_id IN (${ids})`);
}

const unwanted: PolicyRefusal = {
  reason: "unwanted",
  message: "no rule of the policies as they are now has it deleted",
};

/**
 * The rules that say something about removals. A demotion or promotion of collections promises
 * something only where its collection is whole, and to know that takes reading all of it: of those
 * the plan knows, which was made so.
 */
function askedRule(rule: CompiledRule): readonly CompiledRule[] {
  switch (rule.verb.kind) {
    case "hold":
    case "ensure":
    case "delete":
      return [rule];
    case "demote":
    case "promote":
      return rule.group === undefined ? [rule] : [];
    default:
      return [];
  }
}

/** Makes of the rules that match an object, and of its copies for a time, what is said of it. */
function reader(rules: readonly CompiledRule[], backends: readonly Backend[]) {
  const holds = rulesOf(rules, "hold");
  const ensures = rulesOf(rules, "ensure");
  const deletes = rulesOf(rules, "delete");
  const promises = copyPromises(rules, backends).map((promise) => ({
    index: promise.index,
    requirement: { ...requirementOf(promise), place: rules[promise.index]?.place ?? "" },
  }));
  return (words: readonly bigint[], leased: bigint): PolicyWord => {
    const isMatch = ({ index }: { readonly index: number }): boolean => {
      const { word, bit } = wordOf(index);
      return ((words[word] ?? 0n) & bit) !== 0n;
    };
    const hold = holds.find(isMatch);
    const ensure = ensures.find(isMatch);
    const first = deletes.find(isMatch);
    const bound = promises.filter(isMatch).map(({ requirement }) => requirement);
    const kept = whyKept(ensure, first, leased);
    return {
      ...(hold === undefined ? {} : { refused: heldBy(hold) }),
      ...(kept === undefined ? {} : { kept }),
      ...(first === undefined ? {} : { grace: graceOf(first) }),
      ...(bound.length === 0 ? {} : { promises: bound }),
      ...(leased === 0n ? {} : { leased }),
    };
  };
}

function heldBy({ rule }: PlacedRule<"hold">): PolicyRefusal {
  return { reason: "held", message: `a hold protects the object: ${named(rule)}` };
}

/** As plans have it: an ensure that matches forbids deletion, and so does a copy for a time. */
function whyKept(
  ensure: PlacedRule<"ensure"> | undefined,
  first: PlacedRule<"delete"> | undefined,
  leased: bigint,
): PolicyRefusal | undefined {
  if (ensure !== undefined) {
    return { reason: "ensure", message: `by now ${named(ensure.rule)} wants copies of it` };
  }
  if (leased !== 0n) {
    return { reason: "ensure", message: "a rule wants a copy of it for a time that is not over" };
  }
  return first === undefined ? unwanted : undefined;
}

function graceOf({ rule, verb }: PlacedRule<"delete">) {
  return {
    ms: verb.graceMs,
    words: `by now ${named(rule)} gives it ${formatDuration(verb.graceMs)} from the mark for deletion`,
  };
}

/** A rule with the place where it stands. */
function named({ id, place }: CompiledRule): string {
  return `${id} (${place})`;
}
