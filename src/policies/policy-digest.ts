import { createHash } from "node:crypto";
import type { SharedNames } from "#policies/definitions/shared-names.ts";
import type { VariableScope } from "#policies/expression/check-context.ts";
import { tokenize } from "#policies/expression/tokenize.ts";
import type { PolicyDocument } from "#policies/policy-schema.ts";

/**
 * SHA-256 (hex) of what a policy says. Layout, comments, the order of keys, spelling of units,
 * description and owner do not change it; the values of its variables do. What it includes is a
 * part of what it says, and where that is written is not.
 */
export function policyDigest(
  document: PolicyDocument,
  variables: VariableScope,
  included: SharedNames["classes"],
): string {
  const { metadata, vars: _, include: _paths, rules, classes, ...settings } = document;
  const shared = Object.fromEntries([...included].map(([name, { text }]) => [name, text]));
  const canonical = {
    ...settings,
    metadata: { name: metadata.name, priority: metadata.priority },
    variables: Object.fromEntries(variables.names.map((name) => [name, variables.get(name)])),
    classes: mapValues({ ...shared, ...classes }, canonicalExpression),
    rules: rules.map(({ description: _text, ...rule }) => canonicalRule(rule)),
  };
  return createHash("sha256")
    .update(JSON.stringify(sorted(canonical)))
    .digest("hex");
}

const expressionKeys = new Set(["where", "on", "from", "to"]);

function canonicalRule(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map((item: unknown) =>
      typeof item === "string" ? canonicalExpression(item) : canonicalRule(item),
    );
  }
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, child]: [string, unknown]) => [
      key,
      expressionKeys.has(key) && typeof child === "string"
        ? canonicalExpression(child)
        : canonicalRule(child),
    ]),
  );
}

/** The tokens, so that blanks and the spelling of literals do not count. */
function canonicalExpression(text: string): unknown {
  const tokens = tokenize(text, () => undefined);
  return tokens?.map((token) => ({ ...token, span: undefined })) ?? text;
}

function mapValues(
  record: Readonly<Record<string, string>>,
  change: (value: string) => unknown,
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, child]: [string, unknown]) => [key, sorted(child)]),
  );
}
