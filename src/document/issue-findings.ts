import type { ZodType, core } from "zod";
import { documentCodes } from "#document/diagnostic-codes.ts";
import type { DocumentPath, Finding } from "#document/document-places.ts";
import { nearestMatch } from "#model/nearest-match.ts";
import { keysElsewhere } from "#document/keys-elsewhere.ts";
import { isSecretName } from "#document/secret-lines.ts";
import { allowedKeys } from "#document/schema-walk.ts";
import { typeHint } from "#document/type-hint.ts";
import { container, describeValue, quoted, typeWords, valueAt } from "#document/value-words.ts";

/** What one zod issue says, still without a place in a file. */
export interface IssueFinding {
  readonly path: DocumentPath;
  /** Whether the caret belongs under the key or under the value. */
  readonly place: "key" | "value";
  readonly finding: Finding;
  /** Offsets inside the text at the path. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  /** Of a misspelt key: the path of the key that was meant. */
  readonly meant?: DocumentPath | undefined;
}

/** A zod issue → findings in the words of someone who writes YAML. */
export function issueFindings(
  issue: core.$ZodIssue,
  raw: unknown,
  schema: ZodType,
): readonly IssueFinding[] {
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => unknownKey(key, issue.path, raw, schema));
    case "invalid_type":
      return [wrongType(issue.path, [issue.expected], raw, schema)];
    case "invalid_value":
      return [notAllowed(issue.path, issue.values, raw)];
    case "invalid_union":
      return unionFindings(issue, raw, schema);
    case "invalid_key":
      return [at(issue.path, "key", invalid(`key ${quoted(issue.path.at(-1))}`, issue.issues))];
    case "invalid_element":
      return [at(issue.path, "value", invalid("element", issue.issues))];
    case "too_small":
    case "too_big":
      return [at(issue.path, "value", outOfBounds(issue, valueAt(raw, issue.path)))];
    case "custom":
      return [customFinding(issue)];
    default:
      return [at(issue.path, "value", invalidText(issue, valueAt(raw, issue.path)))];
  }
}

function at(path: DocumentPath, place: "key" | "value", finding: Finding): IssueFinding {
  return { path, place, finding };
}

function unknownKey(
  key: string,
  parent: DocumentPath,
  raw: unknown,
  schema: ZodType,
): IssueFinding {
  const allowed = allowedKeys(schema, parent, raw);
  const elsewhere = keysElsewhere(schema, key);
  const nearest = elsewhere.length > 0 ? undefined : nearestMatch(key, allowed);
  const list = allowed.length === 0 ? "no key is allowed here" : `allowed: ${allowed.join(", ")}`;
  const belongs = elsewhere.length === 0 ? list : `it belongs to ${choice(elsewhere)} (${list})`;
  const finding = at([...parent, key], "key", {
    code: documentCodes.unknownKey,
    message: `unknown key "${key}"${container(parent, raw)}`,
    hint: nearest === undefined ? belongs : `did you mean "${nearest}"? (${list})`,
  });
  return nearest === undefined ? finding : { ...finding, meant: [...parent, nearest] };
}

/** `demote, promote or pin`. */
function choice(words: readonly string[]): string {
  const rest = words.slice(0, -1).join(", ");
  return rest === "" ? (words[0] ?? "") : `${rest} or ${words.at(-1)}`;
}

function wrongType(
  path: DocumentPath,
  expected: readonly string[],
  raw: unknown,
  schema: ZodType,
): IssueFinding {
  const value = valueAt(raw, path);
  const wanted = [...new Set(expected.map((type) => typeWords[type] ?? type))].join(" or ");
  if (value === undefined) {
    return at(path, "key", {
      code: documentCodes.missingKey,
      message: `the key "${String(path.at(-1))}" is missing${container(path.slice(0, -1), raw)}`,
      hint: `add "${String(path.at(-1))}: …" (${isCondition(expected) ? "a condition" : wanted})`,
    });
  }
  const isSecret = typeof value !== "object" && isSecretName(String(path.at(-1)));
  if (isSecret) {
    return at(path, "value", {
      code: documentCodes.wrongType,
      message: `expected ${wanted}, found ${typeWords[typeof value] ?? "another value"}`,
      hint: "put it in quotes; a secret is written as env:NAME, file:PATH or command:PROGRAM …",
    });
  }
  return at(path, "value", {
    code: documentCodes.wrongType,
    message: `expected ${wanted}, found ${describeValue(value)}`,
    hint: typeHint(value, expected, allowedKeys(schema, path, raw)),
  });
}

/** What conditions are in YAML: text, or `true`. */
function isCondition(expected: readonly string[]): boolean {
  return expected.includes("string") && expected.includes("boolean");
}

function notAllowed(path: DocumentPath, values: readonly unknown[], raw: unknown): IssueFinding {
  const value = valueAt(raw, path);
  if (value === undefined) return missingOneOf(path, values, raw);
  const words = values.map(String);
  const nearest = typeof value === "string" ? nearestMatch(value, words) : undefined;
  const isOnly = values.length === 1 && values[0] === true && value === false;
  const list = isOnly ? "remove the key: true is all it can be" : `allowed: ${words.join(", ")}`;
  return at(path, "value", {
    code: documentCodes.invalidValue,
    message: `${quoted(value)} is not a value of "${String(path.at(-1) ?? "the document")}"`,
    hint: nearest === undefined ? list : `did you mean "${nearest}"? (${list})`,
  });
}

function missingOneOf(path: DocumentPath, values: readonly unknown[], raw: unknown): IssueFinding {
  const key = String(path.at(-1));
  const choice = values.map(String).join(" or ");
  return at(path, "key", {
    code: documentCodes.missingKey,
    message: `the key "${key}" is missing${container(path.slice(0, -1), raw)}`,
    hint: `add "${key}: ${choice}"`,
  });
}

/** The branch that a person most likely meant is the one whose value's own type fits. */
function unionFindings(
  issue: core.$ZodIssueInvalidUnion,
  raw: unknown,
  schema: ZodType,
): readonly IssueFinding[] {
  if (issue.errors.length === 0) {
    const { options = [] } = issue as { options?: readonly unknown[] };
    return [notAllowed(issue.path, options, raw)];
  }
  const value = valueAt(raw, issue.path);
  const fitting = issue.errors.filter((branch) => expectedTypes(branch, value).length === 0);
  if (fitting.length === 0) {
    return [wrongType(issue.path, expectedTypes(issue.errors.flat(), value), raw, schema)];
  }
  const best = fitting.reduce((a, b) => (b.length < a.length ? b : a));
  return best.flatMap((nested) =>
    issueFindings({ ...nested, path: [...issue.path, ...nested.path] }, raw, schema),
  );
}

/** The types that a branch would have the value be; none when its own type fits. */
function expectedTypes(branch: readonly core.$ZodIssue[], value: unknown): readonly string[] {
  return branch.flatMap((issue): readonly string[] => {
    if (issue.path.length > 0) return [];
    if (issue.code === "invalid_type") return [issue.expected];
    if (issue.code !== "invalid_value") return [];
    // A list was hardly meant to be one of a few words.
    const types = issue.values.map((one) => typeof one);
    return types.includes(typeof value) ? [] : types;
  });
}

function outOfBounds(
  issue: core.$ZodIssueTooSmall | core.$ZodIssueTooBig,
  value: unknown,
): Finding {
  const [limit, inclusiveWord, exclusiveWord] =
    issue.code === "too_small"
      ? [issue.minimum, "at least", "more than"]
      : [issue.maximum, "at most", "less than"];
  if (Array.isArray(value) && value.length === 0) {
    const hint = "a list has a dash before each entry: - name: …";
    return { code: documentCodes.invalidValue, message: "this list is empty", hint };
  }
  const relation = issue.inclusive === false ? exclusiveWord : inclusiveWord;
  const counted = countedIn[issue.origin];
  const unit = counted === undefined ? "" : ` ${counted}${Number(limit) === 1 ? "" : "s"}`;
  return {
    code: documentCodes.invalidValue,
    message: `${describeValue(value)} is out of bounds: ${relation} ${limit}${unit}`,
  };
}

const countedIn: Readonly<Record<string, string>> = {
  array: "element",
  set: "element",
  string: "character",
};

function customFinding(issue: core.$ZodIssueCustom): IssueFinding {
  const { code, hint, from, to, place } = issue.params ?? {};
  const finding = {
    code: typeof code === "string" ? code : documentCodes.invalidValue,
    message: issue.message,
    hint: typeof hint === "string" ? hint : undefined,
  };
  const found = at(issue.path, place === "key" ? "key" : "value", finding);
  return typeof from === "number"
    ? { ...found, from, to: typeof to === "number" ? to : undefined }
    : found;
}

function invalid(what: string, issues: readonly core.$ZodIssue[]): Finding {
  const reason = issues.map((nested) => nested.message).join("; ");
  return { code: documentCodes.invalidValue, message: `invalid ${what}: ${reason}` };
}

function invalidText(issue: core.$ZodIssue, value: unknown): Finding {
  const message = issue.message.startsWith("Invalid") ? "has the wrong form" : issue.message;
  return { code: documentCodes.invalidValue, message: `${describeValue(value)}: ${message}` };
}
