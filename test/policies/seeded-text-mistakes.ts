import { policy, rule, type SeededMistake } from "./seeded-verb-mistakes.ts";

/** Where the text of an expression and that of YAML get into each other's way. */
export const seededTextMistakes: readonly SeededMistake[] = [
  {
    what: "a list without quotes in a map of one line",
    text: rule('where: held\n    evict: {from: backend in ["hot"]}\n'),
    at: "7:30 E0101",
    message: "a bracket within a text that has no quotes",
    hint: "put an expression with brackets in quotes",
  },
  {
    what: "an expression that begins with a quoted text",
    text: rule('where: "a" in ["b"]\n    hold: true'),
    at: "6:16 E0101",
    message: "text goes on after its closing quote",
    hint: "quotes of the other kind",
  },
  {
    what: "an expression with a colon and a blank",
    text: rule("where: name like a: b\n    hold: true"),
    at: "6:12 E0101",
    message: "two values for one key",
    hint: "in quotes",
  },
  {
    what: "a bracket too many",
    text: rule("where: held\n    delete: {grace: 7d}}"),
    at: "7:24 E0101",
    message: "this has no place here",
    hint: "a bracket or quote too many",
  },
  {
    what: "a list that is not closed",
    text: rule("where: held\n    order: [heat asc, size desc\n    hold: true"),
    at: "8:5 E0101",
    message: "is not closed",
    hint: "close the bracket",
  },
  {
    what: "a tab before a key",
    text: policy("  - name: r\n\t    where: held\n    hold: true\n"),
    at: "6:1 E0101",
    message: "a tab indents this line",
    hint: "replace the tab with spaces",
  },
  {
    what: "the operator of another language",
    text: rule("where: heat >= 2 && idle > 3d\n    hold: true"),
    at: "6:22 E0151",
    message: "&&",
    hint: "and",
  },
  {
    what: "a version of the language that does not exist",
    text: rule("where: held\n    hold: true").replace("thermocline/v1", "thermocline/v2"),
    at: "1:13 E0106",
    message: "",
    hint: "thermocline/v1",
  },
];
