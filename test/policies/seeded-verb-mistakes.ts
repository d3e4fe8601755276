/** What authors get wrong, with where the engine must point and what it must say. */
export interface SeededMistake {
  readonly what: string;
  readonly text: string;
  /** `line:column code`. */
  readonly at: string;
  readonly message: string;
  readonly hint: string;
}

export function policy(rules: string, more = ""): string {
  return `apiVersion: thermocline/v1
kind: Policy
metadata: {name: p}
${more}rules:
${rules}`;
}

export const rule = (body: string, more = ""): string => policy(`  - name: r\n    ${body}\n`, more);

/** Of what goes beyond the plain verbs: groups, times, marks. */
export const seededVerbMistakes: readonly SeededMistake[] = [
  {
    what: "a group of a rule that has no use for it",
    text: rule("where: held\n    group: collection\n    hold: true"),
    at: "7:5 E0171",
    message: "hold protects each object by itself",
    hint: "remove group:",
  },
  {
    what: "groups by what the index does not know",
    text: rule("where: held\n    group: dag\n    ensure: {copies: 1}"),
    at: "7:12 E0106",
    message: "of DAGs the index knows only the roots",
    hint: "write group: collection",
  },
  {
    what: "a time of nothing",
    text: rule("where: held\n    ensure: {copies: 1, for: 0s}"),
    at: "7:30 E0106",
    message: "for: is a time longer than none",
    hint: "write how long: 24h",
  },
  {
    what: "a high mark below the low one",
    text: rule("where: held\n    evict: {from: tier = hot, above: 70%, until: 80%}"),
    at: "7:12 E0106",
    message: "these bounds do not go together",
    hint: "above: needs a lower until:",
  },
  {
    what: "a share of a capacity that nobody configured",
    text: rule("where: held\n    evict: {from: tier = hot, until: 80%}"),
    at: "7:19 E0307",
    message: '"hot" has no capacity',
    hint: "give the backend a capacity:, or write the mark in bytes",
  },
];
