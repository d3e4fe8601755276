import type { DocumentPlaces } from "#document/document-places.ts";
import type { ParsedDocument } from "#document/parse-documents.ts";
import type { Diagnostic } from "#model/diagnostic.ts";
import { defaultFailureLimits, type FailureLimits } from "#model/failure.ts";
import { repeatedNames } from "#policies/definitions/repeated-names.ts";
import type { SharedNames } from "#policies/definitions/shared-names.ts";
import { ExpressionReader } from "#policies/expression-reader.ts";
import type { ParseOptions } from "#policies/parse-policies.ts";
import type { Policy, Rule } from "#policies/policy.ts";
import { policyDigest } from "#policies/policy-digest.ts";
import type { PolicyDocument } from "#policies/policy-schema.ts";
import { field } from "#policies/raw-value.ts";
import { buildApproval, readApprovalCondition } from "#policies/read-approval.ts";
import { readClasses } from "#policies/read-classes.ts";
import { buildRule, readRuleExpressions, readVerbName } from "#policies/read-rule.ts";
import { readRunName } from "#policies/read-run-name.ts";
import { readPlanLimits } from "#policies/read-plan-limits.ts";
import { readVariables } from "#policies/read-variables.ts";
import type { ReadCalendars } from "#policies/timing/read-calendars.ts";
import { readTiming } from "#policies/timing/read-timing.ts";

/** What a policy is read with, besides its own text. */
export interface PolicyContext extends Omit<ParseOptions, "calendars"> {
  readonly calendars: Pick<ReadCalendars, "calendars" | "names">;
  /** The names that it has from others. */
  readonly inherited: SharedNames;
}

export interface ReadPolicy {
  /** Present exactly when nothing in the document, or in what it includes, is an error. */
  readonly policy: Policy | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * One document → a policy. Expressions are checked on the YAML value as it is, so that an error
 * of structure does not hide the errors inside expressions.
 */
export function readPolicy(
  { value: document, raw, places }: ParsedDocument<PolicyDocument>,
  { inherited, ...options }: PolicyContext,
): ReadPolicy {
  const reader = new ExpressionReader(options.registry, places);
  const variables = readVariables(raw, places, options.variables ?? {}, inherited.variables);
  reader.variables = variables;
  const classes = readClasses(raw, reader, inherited.classes);
  reader.classes = classes;
  const rawRules = field(raw, "rules");
  const read = (Array.isArray(rawRules) ? rawRules : []).map((rule: unknown, position) => {
    const path = ["rules", position];
    const expressions = readRuleExpressions(rule, path, reader);
    reader.diagnostics.push(...readRunName(rule, path, places));
    return { path, expressions, verb: readVerbName(rule, path, places, reader) };
  });
  const approvalCondition = readApprovalCondition(raw, reader);
  const unusedClasses = classes.finish();
  const diagnostics = [
    ...variables.diagnostics,
    ...reader.diagnostics,
    ...repeatedNames(raw, places, inherited),
    ...repeatedRules(rawRules, places),
    ...unused("vars", variables.unused(), places),
    ...unused("classes", unusedClasses, places),
  ];
  if (document === undefined) return { policy: undefined, diagnostics };
  const { timing, diagnostics: ofTiming } = readTiming(document, places, options.calendars);
  diagnostics.push(...ofTiming);
  const hasError = diagnostics.some(({ severity }) => severity === "error");
  if (hasError || inherited.isFaulty) return { policy: undefined, diagnostics };
  const { name, owner, description, priority } = document.metadata;
  const rules = read.flatMap(({ path, expressions, verb }, position): Rule[] => {
    const rule = document.rules[position];
    if (rule === undefined || verb === undefined) return [];
    const built = buildRule(rule, name, path, verb, expressions);
    return built === undefined ? [] : [built];
  });
  const digest = policyDigest(document, variables, inherited.classes);
  const failureLimits = limitsOf(name, document.onError);
  const metadata = { name, owner, description, priority };
  const limits = readPlanLimits(document.limits);
  const approval = buildApproval(document, approvalCondition);
  const bounds = { failureLimits, limits, horizonMs: document.horizon, approval };
  const classPlaces = new Map([...inherited.classes].map(([key, shared]) => [key, shared.places]));
  const policy = { ...metadata, digest, rules, ...bounds, timing, places, classPlaces };
  return { policy, diagnostics };
}

function limitsOf(policy: string, onError: PolicyDocument["onError"]): FailureLimits {
  const { quarantineAfter, suspendAt, minimum } = onError ?? {};
  return {
    policy,
    quarantineAfter: quarantineAfter ?? defaultFailureLimits.quarantineAfter,
    suspendAt: suspendAt === undefined ? undefined : Number.parseFloat(suspendAt) / 100,
    minimum: minimum ?? defaultFailureLimits.minimum,
  };
}

function repeatedRules(rawRules: unknown, places: DocumentPlaces): readonly Diagnostic[] {
  const seen = new Set<string>();
  return (Array.isArray(rawRules) ? rawRules : []).flatMap((rule: unknown, position) => {
    const name = field(rule, "name");
    if (typeof name !== "string") return [];
    const isRepeated = seen.has(name);
    seen.add(name);
    if (!isRepeated) return [];
    const range = places.value(["rules", position, "name"]);
    const message = `there are two rules "${name}" in this policy`;
    return [places.diagnostic(range, { code: "E0160", message, hint: "give one another name" })];
  });
}

function unused(
  key: "vars" | "classes",
  names: readonly string[],
  places: DocumentPlaces,
): readonly Diagnostic[] {
  const what = key === "vars" ? "variable" : "class";
  return names.map((name) =>
    places.diagnostic(places.key([key, name]), {
      severity: "warning",
      code: "W0410",
      message: `nothing uses the ${what} "${name}"`,
      hint: "remove it, or check the spelling where it was meant",
    }),
  );
}
