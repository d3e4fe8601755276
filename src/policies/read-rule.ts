import { durationField } from "#document/fields.ts";
import { nearestMatch } from "#model/nearest-match.ts";
import type { DocumentPath, DocumentPlaces } from "#document/document-places.ts";
import type { ExpressionReader } from "#policies/expression-reader.ts";
import { foreignWordHint } from "#policies/foreign-words.ts";
import type { Expression } from "#policies/expression/expression.ts";
import type { BackendCondition, OrderKey, Rule, RuleVerb } from "#policies/policy.ts";
import {
  type RuleDocument,
  isRuleKey,
  standardConditions,
  type VerbName,
  verbNames,
} from "#policies/policy-schema.ts";
import { runSetting } from "#policies/run-actions/run-actions.ts";
import type { RemovalBounds } from "#policies/removal-bound.ts";
import { expressionText, field, isRecord } from "#policies/raw-value.ts";
import { dealTerms } from "#policies/deal-terms.ts";
import { readOrder } from "#policies/read-order.ts";

/** The expressions of one rule, by key; a key is absent when its expression has an error. */
export interface RuleExpressions {
  readonly conditions: ReadonlyMap<string, Expression>;
  readonly order: readonly OrderKey[];
  /** Of the verbs that say where new copies go first. */
  readonly prefer: ReadonlyMap<string, readonly OrderKey[]>;
}

/** Reads every expression of a rule from the YAML value, whatever else is wrong with it. */
export function readRuleExpressions(
  raw: unknown,
  path: DocumentPath,
  reader: ExpressionReader,
): RuleExpressions {
  const conditions = new Map<string, Expression>();
  for (const keys of expressionKeys) {
    const isSaid = keys.slice(0, -1).reduce(field, raw) !== undefined;
    const standard = isSaid ? standardConditions[keys.join(".")] : undefined;
    const text = expressionText(keys.reduce(field, raw)) ?? standard;
    if (text === undefined) continue;
    const scope = keys.length === 1 ? "object" : "backend";
    const expression = reader.condition(text, [...path, ...keys], scope);
    if (expression !== undefined) conditions.set(keys.join("."), expression);
  }
  for (const verb of ["demote", "promote"]) {
    const given = field(field(raw, verb), "dwell");
    const dwell = durationField.safeParse(given);
    if (!dwell.success) continue;
    const length = typeof given === "string" ? given.replaceAll(/\s/g, "") : `${dwell.data}ms`;
    const text = `missing(moved) or moved <= now - ${length}`;
    const rested = reader.condition(text, [...path, verb, "dwell"], "object");
    if (rested !== undefined) conditions.set(`${verb}.dwell`, rested);
  }
  const order = readOrder(field(raw, "order"), [...path, "order"], reader, "object");
  return { conditions, order, prefer: readPreferences(raw, path, reader) };
}

function readPreferences(raw: unknown, path: DocumentPath, reader: ExpressionReader) {
  const keys = choosingVerbs.flatMap((verb): [string, readonly OrderKey[]][] => {
    const given = field(field(raw, verb), "prefer");
    if (given === undefined) return [];
    return [[verb, readOrder(given, [...path, verb, "prefer"], reader, "backend")]];
  });
  return new Map(keys);
}

/** Verbs that have copies made, and so choose backends for them. */
const choosingVerbs = [
  "ensure",
  "replicate",
  "pin",
  "archive",
  "deal",
  "demote",
  "promote",
] as const;

const expressionKeys: readonly (readonly string[])[] = [
  ["where"],
  ["ensure", "on"],
  ["replicate", "on"],
  ["pin", "on"],
  ["archive", "on"],
  ["deal", "on"],
  ["evict", "from"],
  ["demote", "from"],
  ["demote", "to"],
  ["promote", "from"],
  ["promote", "to"],
  ["run", "verify", "on"],
];

/** Reports a rule without a verb, or with several. Returns the verb if there is exactly one. */
export function readVerbName(
  raw: unknown,
  path: DocumentPath,
  places: DocumentPlaces,
  reader: ExpressionReader,
): VerbName | undefined {
  const found = verbNames.filter((verb) => field(raw, verb) !== undefined);
  const [verb, second] = found;
  if (verb !== undefined && second === undefined) {
    const alone = actsAlone[verb];
    if (alone !== undefined && field(raw, "group") !== undefined) {
      const message = alone;
      const finding = { code: "E0171", message, hint: "remove group:" };
      reader.diagnostics.push(places.diagnostic(places.key([...path, "group"]), finding));
    }
    if (verb !== "evict" && verb !== "demote" && field(raw, "force") !== undefined) {
      const message = "force is for evict and demote: nothing else has to pay within a horizon";
      const finding = { code: "E0171", message, hint: "remove force:" };
      reader.diagnostics.push(places.diagnostic(places.key([...path, "force"]), finding));
    }
    return verb;
  }
  const keys = isRecord(raw) ? Object.keys(raw) : [];
  const isMisspelt = keys.some(
    (key) =>
      !isRuleKey(key) &&
      (nearestMatch(key, verbNames) ?? foreignWordHint(key, "key")) !== undefined,
  );
  // The schema reports the unknown key with the verb that was meant: one mistake, one finding.
  if (verb === undefined && isMisspelt) return undefined;
  const given = field(raw, "name");
  const name = typeof given === "string" ? given : String(Number(path.at(-1)) + 1);
  const finding =
    second === undefined
      ? { message: `rule "${name}" does not say what to do`, hint: `add one of ${list(verbNames)}` }
      : { message: `rule "${name}" says ${list(found)}`, hint: "keep one; use a rule for each" };
  const range = second === undefined ? places.key(path) : places.key([...path, second]);
  reader.diagnostics.push(places.diagnostic(range, { code: "E0161", ...finding }));
  return undefined;
}

/** Verbs that know no groups, and why. */
const actsAlone: Readonly<Partial<Record<VerbName, string>>> = {
  hold: "hold protects each object by itself",
  delete: "each object is deleted after a grace of its own",
  run: "run acts on each object by itself",
};

/** Puts a valid rule together; undefined when one of its expressions has an error. */
export function buildRule(
  document: RuleDocument,
  policy: string,
  path: DocumentPath,
  verbName: VerbName,
  { conditions, order, prefer }: RuleExpressions,
): Rule | undefined {
  const where = withDwell(conditions.get("where"), conditions.get(`${verbName}.dwell`));
  const at = (key: string): BackendCondition | undefined => {
    const condition = conditions.get(`${verbName}.${key}`);
    return condition && { condition, path: [...path, verbName, ...key.split(".")] };
  };
  const verb = buildVerb(document, verbName, at, prefer.get(verbName));
  if (where === undefined || verb === undefined) return undefined;
  const { objects, bytes } = document.limit ?? {};
  const limit = { objects, bytes };
  const group = document.group === undefined ? {} : { group: document.group };
  const force = document.force === undefined ? {} : { force: document.force };
  const enabled = document.enabled === false ? ({ enabled: false } as const) : {};
  const settings = { order, limit, ...group, ...force, ...enabled };
  return { name: document.name, policy, path, where, verb, ...settings };
}

/** An object that was moved of late is none that the rule selects. */
function withDwell(where: Expression | undefined, rested: Expression | undefined) {
  if (where === undefined || rested === undefined) return where;
  const { type, span } = where;
  return { kind: "logical", operator: "and", operands: [where, rested], type, span } as const;
}

type At = (key: string) => BackendCondition | undefined;

function buildVerb(
  document: RuleDocument,
  verbName: VerbName,
  at: At,
  preferred: readonly OrderKey[] | undefined,
): RuleVerb | undefined {
  const prefer = preferred === undefined ? {} : { prefer: preferred };
  switch (verbName) {
    case "hold":
      return { kind: "hold" };
    case "delete":
      return { kind: "delete", graceMs: document.delete?.grace ?? 0 };
    case "evict": {
      const from = at("from");
      return from && { kind: "evict", from, ...boundsOf(document.evict) };
    }
    case "run": {
      const setting = document.run && runSetting(document.run);
      return setting && { kind: "run", ...setting, on: at(`${setting.order.action}.on`) };
    }
    case "demote":
    case "promote": {
      const [from, to] = [at("from"), at("to")];
      const time =
        verbName === "promote" ? forTime(document.promote?.for) : boundsOf(document.demote);
      return from && to && { kind: verbName, from, to, ...prefer, ...time };
    }
    default: {
      const on = at("on");
      const fields = document[verbName];
      if (on === undefined || fields === undefined) return undefined;
      const standard = { min: verbName === "replicate" ? 2 : 1, max: undefined };
      const copies = "copies" in fields ? (fields.copies ?? standard) : standard;
      const per = "per" in fields ? fields.per : undefined;
      const time = forTime(fields.for);
      const { confidence } = fields;
      const terms =
        verbName === "deal" ? document.deal : "deal" in fields ? fields.deal : undefined;
      const deal = terms === undefined ? {} : { deal: dealTerms(terms) };
      return { kind: "ensure", copies, on, ...prefer, confidence, per, ...time, ...deal };
    }
  }
}

function boundsOf(fields: RuleDocument["evict"] | RuleDocument["demote"]): RemovalBounds {
  const { above, until, quota } = fields ?? {};
  return {
    ...(above === undefined ? {} : { above }),
    ...(until === undefined ? {} : { until }),
    ...(quota === undefined ? {} : { quota }),
  };
}

function forTime(forMs: number | undefined): { readonly forMs?: number } {
  return forMs === undefined ? {} : { forMs };
}

function list(names: readonly string[]): string {
  return names.length < 2
    ? names.join("")
    : `${names.slice(0, -1).join(", ")} and ${names.at(-1) ?? ""}`;
}
