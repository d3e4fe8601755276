import { policy, rule, type SeededMistake } from "./seeded-verb-mistakes.ts";

/** Where a policy has another shape than it should have: lines, lists, maps, units, fields. */
type Shape = readonly [what: string, text: string, at: string, message: string, hint: string];

const held = "where: held\n    hold: true";
const evict = (body: string): string => rule(`where: held\n    evict: {from: tier = hot, ${body}}`);
const where = (expression: string): string => rule(`where: ${expression}\n    hold: true`);
const settings = (line: string): string => rule(held, `${line}\n`);

const shapes: readonly Shape[] = [
  ["a key that stands deeper than its neighbours", rule("where: held\n     hold: true"), "6:12 E0101", "the line below stands deeper", "indent keys of one map alike"],
  ["a line without a colon", rule("where held\n    hold: true"), "6:5 E0101", "no colon after its key", 'write "where: held"'],
  ["a colon without a blank", rule("where:held\n    hold: true"), "6:5 E0101", "no blank stands after the colon", 'write "where: held"'],
  ["a blank that does not break", rule("where:\u00A0held\n    hold: true"), "6:5 E0101", "no blank stands after the colon", 'write "where: held"'],
  ["rules without dashes", policy("  name: r\n  where: held\n  hold: true\n"), "5:3 E0105", "expected a list, found a map", "a dash before each entry"],
  ["no rules", policy("  []\n"), "5:3 E0106", "this list is empty", "a dash before each entry"],
  ["a key one level too high", settings("priority: 3"), "4:1 E0102", '"priority"', "it belongs to metadata"],
  ["a key of another verb", evict("for: 3d"), "7:31 E0102", 'unknown key "for" in "evict"', "it belongs to ensure"],
  ["a calendar inside of a policy", settings("calendars: {a: [2026-02-28]}"), "4:1 E0102", '"calendars"', "kind: Calendar"],
  ["a limit without saying of what", rule("where: held\n    limit: 100\n    evict: {from: tier = hot}"), "7:12 E0105", "expected a map, found 100", "write {objects: …}; its keys are: objects, bytes"],
  ["a schedule as a word", settings("schedule: daily"), "4:11 E0105", 'found "daily"', "write {cron: …}"],
  ["a verb that only names a tier", rule("where: held\n    evict: hot"), "7:12 E0105", 'expected a map, found "hot"', "write {from: …}"],
  ["a verb without what it needs", rule("where: held\n    demote: {to: tier = cold}"), "7:5 E0104", 'the key "from" is missing', 'add "from: …" (a condition)'],
  ["conditions as a list", rule("where: [held, heat < 1]\n    hold: true"), "6:12 E0105", "found a list", "joined by and"],
  ["a truth value of old YAML", rule("where: held\n    enabled: no\n    hold: true"), "7:14 E0105", 'found "no"', "write false"],
  ["a verb that is not meant", rule("where: held\n    hold: false"), "7:11 E0106", "false is not a value", "remove the key"],
  ["a mark without a unit", evict("until: 80"), "7:38 E0106", "the mark 80 has no unit", "80% of its capacity"],
  ["a mark in bytes without a unit", evict("until: 5000000000000"), "7:38 E0106", "the mark 5000000000000 has no unit", "5000000000000B"],
  ["a minute that no hour has", settings('schedule: {cron: "61 2 * * *"}'), "4:18 E0166", '"61" is no minute', "0-59"],
  ["a weekday that is none", settings('schedule: {cron: "0 2 * * Mond"}'), "4:18 E0166", '"Mond" is no weekday', "sun-sat"],
  ["a period as an adverb", where("newest(3, hourly)"), "6:22 E0207", '"hourly"', 'did you mean "hour"'],
  ["half of a CID", where("cid = bafyfoo"), "6:18 E0201", '"bafyfoo"', "look whether it is whole"],
  ["quotes of a word processor", where("owner = “ana”"), "6:20 E0151", "“", "straight quotes"],
  ["a pattern between slashes", where("name matches /a.*/"), "6:25 E0150", "found /", "a pattern stands in quotes"],
  ["a list of tags", where('tags has ["a", "b"]'), "6:21 E0150", "found [", "has asks for one"],
  ["a list without brackets", where('owner in "a", "b"'), "6:24 E0150", "found ,", "a list stands in brackets"],
  ["a type of variables that is none", rule("where: idle > $a\n    hold: true", "vars: {a: {type: time, default: 30d}}\n"), "4:18 E0106", '"time"', "allowed: duration"],
]; // prettier-ignore

export const seededShapeMistakes: readonly SeededMistake[] = shapes.map(
  ([what, text, at, message, hint]) => ({ what, text, at, message, hint }),
);
