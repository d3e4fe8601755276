/** What authors get wrong, with where the engine must point and what it must say. */
export interface SeededMistake {
  readonly what: string;
  readonly text: string;
  /** `line:column code`. */
  readonly at: string;
  readonly message: string;
  readonly hint: string;
}

function policy(rules: string, more = ""): string {
  return `apiVersion: thermocline/v1
kind: Policy
metadata: {name: p}
${more}rules:
${rules}`;
}

const rule = (body: string, more = ""): string => policy(`  - name: r\n    ${body}\n`, more);

export const seededMistakes: readonly SeededMistake[] = [
  {
    what: "a misspelt key of a rule",
    text: rule("where: heat < 1\n    demoet: {from: tier = hot, to: tier = cold}"),
    at: "7:5 E0102",
    message: 'unknown key "demoet" in rule "r"',
    hint: 'did you mean "demote"?',
  },
  {
    what: "a misspelt key inside of a verb",
    text: rule("where: heat < 1\n    ensure: {copies: 2, confidnce: sampled}"),
    at: "7:25 E0102",
    message: 'unknown key "confidnce"',
    hint: 'did you mean "confidence"?',
  },
  {
    what: "a duration compared with a size",
    text: rule("where: size > 3d\n    hold: true"),
    at: "6:19 E0204",
    message: "bytes cannot be compared with a duration",
    hint: "write a size",
  },
  {
    what: "a size without a unit",
    text: rule("where: size > 1000\n    hold: true"),
    at: "6:19 E0204",
    message: "bytes cannot be compared with a number",
    hint: "give it a unit: 1000B",
  },
  {
    what: "a misspelt attribute",
    text: rule("where: heat < 1 and sise > 1MiB\n    hold: true"),
    at: "6:25 E0201",
    message: 'unknown name "sise"',
    hint: 'did you mean "size"?',
  },
  {
    what: "a misspelt unit",
    text: rule("where: size > 10Gib\n    hold: true"),
    at: "6:21 E0154",
    message: '"Gib" is not a unit',
    hint: 'did you mean "GiB"?',
  },
  {
    what: "a double equals sign",
    text: rule('where: owner == "ana"\n    hold: true'),
    at: "6:18 E0151",
    message: '"==" is not part of the language',
    hint: 'write "="',
  },
  {
    what: "a text without quotes",
    text: rule("where: owner = ana\n    hold: true"),
    at: "6:20 E0201",
    message: 'unknown name "ana"',
    hint: 'in quotes: "ana"',
  },
  {
    what: "an attribute of backends where objects are described",
    text: rule("where: tier = hot\n    hold: true"),
    at: "6:12 E0205",
    message: '"tier" describes backends',
    hint: "known here",
  },
  {
    what: "an attribute of objects where backends are described",
    text: rule("where: heat < 1\n    evict: {from: heat < 1}"),
    at: "7:19 E0205",
    message: '"heat" describes objects',
    hint: "known here: backend",
  },
  {
    what: "an expression that ends too early",
    text: rule('where: "idle > 30d and"\n    hold: true'),
    at: "6:27 E0150",
    message: "expected a value or a condition, but the expression ends here",
    hint: 'after "and"',
  },
  {
    what: "a bracket that is not closed",
    text: rule("where: (heat < 1 or held\n    hold: true"),
    at: "6:29 E0150",
    message: 'expected ")"',
    hint: 'close what "(" opens',
  },
  {
    what: "a variable that is not declared",
    text: rule(
      "where: idle > $idle_limt\n    hold: true",
      "vars: {idle_limit: {type: duration, default: 30d}}\n",
    ),
    at: "7:19 E0202",
    message: "there is no variable $idle_limt",
    hint: 'did you mean "idle_limit"?',
  },
  {
    what: "a default that does not fit its type",
    text: rule(
      "where: idle > $limit\n    hold: true",
      "vars: {limit: {type: duration, default: 30 GiB}}\n",
    ),
    at: "4:41 E0162",
    message: 'the default of "limit" is "30 GiB", which is not a duration',
    hint: "such as 30d",
  },
  {
    what: "classes that refer to each other",
    text: rule("where: class a\n    hold: true", "classes:\n  a: class b\n  b: held or class a\n"),
    at: "6:20 E0164",
    message: "a → b → a",
    hint: "write one of them out",
  },
  {
    what: "a rule with two verbs",
    text: rule("where: heat < 1\n    hold: true\n    delete: {grace: 7d}"),
    at: "8:5 E0161",
    message: 'rule "r" says hold and delete',
    hint: "keep one",
  },
  {
    what: "a rule without a verb",
    text: rule("where: heat < 1"),
    at: "5:5 E0161",
    message: 'rule "r" does not say what to do',
    hint: "add one of hold, ensure",
  },
  {
    what: "two rules of one name",
    text: policy(
      "  - {name: r, where: held, hold: true}\n  - {name: r, where: held, hold: true}\n",
    ),
    at: "6:12 E0160",
    message: 'there are two rules "r"',
    hint: "another name",
  },
  {
    what: "a key that stands twice",
    text: rule("where: held\n    where: heat < 1\n    hold: true"),
    at: "7:5 E0103",
    message: '"where"',
    hint: "keep one",
  },
  {
    what: "a range of copies upside down",
    text: rule("where: held\n    ensure: {copies: 3..2, on: tier = hot}"),
    at: "7:22 E0167",
    message: '"3..2" copies cannot be',
    hint: "smaller number first",
  },
  {
    what: "a regular expression with look-ahead",
    text: rule(`where: path matches "^/(?!tmp)"\n    hold: true`),
    at: "6:25 E0208",
    message: "(?!",
    hint: "no look-around in RE2",
  },
  {
    what: "a misspelt tier",
    text: rule("where: held\n    evict: {from: tier = hott}"),
    at: "7:26 E0207",
    message: 'there is no tier "hott"',
    hint: 'did you mean "hot"?',
  },
  {
    what: "a misspelt backend",
    text: rule('where: held\n    evict: {from: backend = "clod"}'),
    at: "7:29 E0305",
    message: 'there is no backend "clod"',
    hint: 'did you mean "cold"?',
  },
  {
    what: "more copies than there are backends",
    text: rule("where: held\n    ensure: {copies: 3, on: tier <= warm}"),
    at: "7:29 E0302",
    message: "3 copies are asked for, and 2 backends fit",
    hint: "widen on:",
  },
  {
    what: "source and target that overlap",
    text: rule("where: held\n    demote: {from: tier = hot, to: tier <= warm}"),
    at: "7:36 E0303",
    message: '"hot" would be source and target at once',
    hint: "exclude each other",
  },
  {
    what: "backends that are not configured",
    text: rule('where: held\n    ensure: {copies: 1, on: driver = "filecoin"}'),
    at: "7:29 E0301",
    message: "no configured backend fits",
    hint: "hot local hot eu-1",
  },
  {
    what: "a time zone that does not exist",
    text: rule(
      "where: held\n    hold: true",
      'schedule: {cron: "0 2 * * *", timezone: Europe/Berln}\n',
    ),
    at: "4:41 E0166",
    message: 'there is no time zone "Europe/Berln"',
    hint: 'did you mean "Europe/Berlin"?',
  },
  {
    what: "a schedule with a sixth field",
    text: rule("where: held\n    hold: true", 'schedule: {cron: "0 0 2 * * *"}\n'),
    at: "4:18 E0166",
    message: "found 6 fields",
    hint: "five fields",
  },
  {
    what: "a schedule that never comes",
    text: rule("where: held\n    hold: true", 'schedule: {cron: "0 2 31 2,4 *"}\n'),
    at: "4:18 E0166",
    message: '"0 2 31 2,4 *" never comes',
    hint: "no month of these",
  },
  {
    what: "a schedule that says two times",
    text: rule("where: held\n    hold: true", 'schedule: {cron: "0 2 * * *", every: 6h}\n'),
    at: "4:1 E0166",
    message: "the schedule says cron and every",
    hint: "exactly one of",
  },
  {
    what: "a time that the clocks skip",
    text: rule(
      "where: held\n    hold: true",
      "schedule: {at: 2026-03-29T02:30, timezone: Europe/Berlin}\n",
    ),
    at: "4:16 E0166",
    message: '"2026-03-29T02:30" does not exist in Europe/Berlin',
    hint: "before or after the skipped hour",
  },
  {
    what: "a jitter as long as the time between two runs",
    text: rule("where: held\n    hold: true", "schedule: {every: 1h, jitter: 90m}\n"),
    at: "4:31 E0166",
    message: "the jitter is as long as the time between two runs",
    hint: "shorter",
  },
  {
    what: "a day that does not exist",
    text: rule("where: held\n    hold: true", 'windows: {allow: ["Mon-Fry 22:00-06:00"]}\n'),
    at: "4:24 E0166",
    message: 'there is no day "Fry"',
    hint: 'did you mean "Fri"?',
  },
  {
    what: "hours that no day has",
    text: rule("where: held\n    hold: true", 'windows: {deny: ["Mon 22:00-25:00"]}\n'),
    at: "4:23 E0166",
    message: '"22:00-25:00" are no hours of a day',
    hint: "00:00 to 24:00",
  },
  {
    what: "windows that never open",
    text: rule(
      "where: held\n    hold: true",
      'windows: {allow: ["Sat 10:00-12:00"], deny: ["Sat-Sun 00:00-24:00"]}\n',
    ),
    at: "4:1 E0168",
    message: "these windows never open",
    hint: "denied covers all that is allowed",
  },
  {
    what: "a calendar that nobody wrote",
    text: rule("where: held\n    hold: true", "windows: {deny: [{calendar: quarter-clos}]}\n"),
    at: "4:29 E0170",
    message: 'there is no calendar "quarter-clos"',
    hint: "quarter-clos.thermocline-calendar.yaml",
  },
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
