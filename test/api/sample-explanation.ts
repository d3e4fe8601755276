import type { ValidationReport } from "#model/engine-api.ts";
import type { Explanation } from "#model/explanation.ts";
import { at, sampleObject } from "./sample-values.ts";

export const sampleValidation: ValidationReport = {
  policies: 1,
  rules: 2,
  diagnostics: [
    {
      file: "a.yaml",
      range: { start: { line: 1, column: 2 }, end: { line: 1, column: 5 } },
      severity: "error",
      code: "E0102",
      message: "unknown key",
      hint: "did you mean",
    },
  ],
};

export const sampleExplanation: Explanation = {
  object: sampleObject,
  evaluatedAt: at,
  rules: [
    {
      rule: "cool/down",
      place: "a.yaml:3:5",
      verb: "demote",
      matched: false,
      result: "heat too high",
      clauses: [{ text: "heat < 0.1", holds: false, value: "0.25", flip: "in 9d" }],
    },
  ],
  conclusion: ["nothing"],
  nextChange: { at, what: "heat falls below 0.1" },
};
