import type { DocumentPath, DocumentPlaces } from "#document/document-places.ts";
import type { CaseFailure } from "#model/policy-test-report.ts";
import { currency, nanoUsd, type Usd, usdText } from "#model/money.ts";
import { blockWords } from "#policies/explain/action-words.ts";
import type { CaseOutcome } from "#policies/testing/case-outcome.ts";
import {
  type ExpectedAction,
  isRule,
  matchExpectations,
  type NamedAction,
} from "#policies/testing/match-expectations.ts";
import type { TestCase } from "#policies/testing/policy-test.ts";
import type { ExpectedAmount } from "#policies/testing/policy-test-schema.ts";

/** A failure before explain has spoken of it: which object it is, and which rules matter. */
export interface Finding extends Omit<CaseFailure, "why"> {
  readonly objectId: number;
  /** Rules as named or by id; empty when every rule may be the reason. */
  readonly rules: readonly string[];
}

/** Everything in which a case did not come out as it expects. */
export function judgeCase(
  outcome: CaseOutcome,
  backends: ReadonlyMap<number, string>,
  places: DocumentPlaces,
): readonly Finding[] {
  const { test, ids } = outcome;
  const idOf = (object: string): number =>
    ids[test.objects.findIndex(({ name }) => name === object)] ?? -1;
  const found = (
    kind: Finding["kind"],
    object: string,
    path: DocumentPath,
    message: string,
    rules: readonly string[],
  ): Finding => {
    const range = places.value(path);
    return { kind, object, objectId: idOf(object), range, message, rules };
  };
  const { missing, unexpected } = matchExpectations(
    expectedActions(test),
    namedActions(outcome, backends),
  );
  return [
    ...missing.map((one) => {
      const rules = one.rule === undefined ? [] : [one.rule];
      return found("missing", one.object, one.path, `missing: ${wordsOf(one)}`, rules);
    }),
    ...unexpected.map((one) =>
      found("unexpected", one.object, [...test.path, "name"], `unexpected: ${wordsOf(one)}`, [
        one.rule,
      ]),
    ),
    ...missingBlocks(outcome, idOf).map(({ object, path, message, rules }) =>
      found("not-blocked", object, path, message, rules),
    ),
    ...wrongSelections(outcome, idOf).map(({ object, path, message, rules }) =>
      found("selection", object, path, message, rules),
    ),
    ...wrongCosts(outcome).map(({ path, message }) => found("cost", "", path, message, [])),
  ];
}

function wrongCosts({ test, cost }: CaseOutcome): readonly Pick<Unfulfilled, "path" | "message">[] {
  return (["now", "month"] as const).flatMap((part) => {
    const expected = test.cost?.[part];
    if (expected === undefined || isAmount(cost[part], expected)) return [];
    const [is, wanted] = [cost[part], usdText(expected.nanoUsd)];
    const what = part === "now" ? "to pay once" : "a month";
    const message = `cost: ${is} ${currency} ${what}, where ${wanted} ${currency} is expected`;
    return [{ path: [...test.path, "cost", part], message }];
  });
}

/** Whether an amount is the expected one when it is rounded to as many places. */
function isAmount(usd: Usd, { nanoUsd: expected, places }: ExpectedAmount): boolean {
  const difference = nanoUsd(Number(usd)) - expected;
  const size = difference < 0n ? -difference : difference;
  return size * 2n <= 10n ** BigInt(9 - places);
}

type PlacedAction = ExpectedAction & { readonly path: DocumentPath };

function expectedActions({ expectations, path }: TestCase): readonly PlacedAction[] {
  return expectations.flatMap(({ object, action, from, to, rule }, at) =>
    action === undefined || action === "none"
      ? []
      : object.map((name) => {
          return { object: name, action, from, to, rule, path: [...path, "expect", at] };
        }),
  );
}

function namedActions(
  { actions, ids, test }: CaseOutcome,
  backends: ReadonlyMap<number, string>,
): readonly NamedAction[] {
  const name = (id: number | null) => (id === null ? undefined : backends.get(id));
  return actions.map(({ objectId, verb, source, target, victim, rule }) => ({
    object: test.objects[ids.indexOf(objectId)]?.name ?? "?",
    action: verb,
    // Of a check, where the copy is.
    from: name(verb === "verify" ? source : victim),
    to: name(target),
    rule,
  }));
}

/** "demote film from hot to cold by cool-down". */
function wordsOf({ object, action, from, to, rule }: ExpectedAction | NamedAction): string {
  const target = typeof to === "string" ? to : to?.join(" or ");
  return [
    `${action} ${object}`,
    ...(from === undefined ? [] : [`from ${from}`]),
    ...(target === undefined ? [] : [`to ${target}`]),
    ...(rule === undefined ? [] : [`by ${rule}`]),
  ].join(" ");
}

interface Unfulfilled {
  readonly object: string;
  readonly path: DocumentPath;
  readonly message: string;
  readonly rules: readonly string[];
}

function missingBlocks(
  { test, blocked }: CaseOutcome,
  idOf: (object: string) => number,
): readonly Unfulfilled[] {
  return test.expectations.flatMap(({ object: objects, blocked: reason, rule }, at) => {
    if (reason === undefined) return [];
    return objects.flatMap((object): readonly Unfulfilled[] => {
      const blocks = blocked.get(idOf(object)) ?? [];
      const isSo = blocks.some(
        (block) => block.reason === reason && (rule === undefined || isRule(rule, block.rule)),
      );
      if (isSo) return [];
      const by = rule === undefined ? "" : ` for ${rule}`;
      const others = blocks.map((block) => `${block.rule} is blocked: ${block.reason}`);
      const instead = others.length === 0 ? "nothing is blocked" : others.join("; ");
      const message = `missing: ${object} blocked${by} because ${blockWords[reason]}; ${instead}`;
      const path = [...test.path, "expect", at];
      return [{ object, path, message, rules: rule === undefined ? [] : [rule] }];
    });
  });
}

function wrongSelections(
  { test, selected }: CaseOutcome,
  idOf: (object: string) => number,
): readonly Unfulfilled[] {
  return Object.entries(test.selects).flatMap(([rule, wanted]) =>
    test.objects.flatMap(({ name: object }): readonly Unfulfilled[] => {
      const isSelected = (selected.get(idOf(object)) ?? []).some((id) => isRule(rule, id));
      if (isSelected === wanted.includes(object)) return [];
      const message = isSelected
        ? `unexpected: ${rule} selects ${object}`
        : `missing: ${rule} does not select ${object}`;
      return [{ object, path: [...test.path, "selects", rule], message, rules: [rule] }];
    }),
  );
}
