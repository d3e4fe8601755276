import { z } from "zod";
import {
  durationField,
  nameField,
  parsedField,
  quantityField,
  sizeField,
} from "#document/fields.ts";
import { backendsMax } from "#model/backend.ts";
import { confidences } from "#model/copy.ts";
import { EngineError } from "#model/engine-error.ts";
import { parseCount, parseSize } from "#model/quantity.ts";
import { runField } from "#policies/run-actions/run-actions.ts";
import { settingFields } from "#policies/policy-setting-fields.ts";
import { checkDeal, dealDriver, dealField, dealFields } from "#policies/deal-terms.ts";
import { quotaKey, type UsageMark } from "#policies/removal-bound.ts";
import {
  classesField,
  condition,
  includeField,
  oneOrMore,
  variablesField,
} from "#policies/shared-fields.ts";

const ofObjects = condition("Which objects: a condition over object attributes. `true`: all.");
const ofBackends = (what: string) =>
  condition(`${what}: a condition over backend attributes, such as tier <= warm.`);

const copiesField = z
  .union([
    z.int().meta({ minimum: 1 }),
    z.string().regex(/^(all|\d+(\.\.\d+)?)$/, { error: copiesHint }),
  ])
  .transform((input, context) => {
    if (input === "all") return { min: "all" as const, max: undefined };
    const [low, high] = String(input).split("..").map(Number);
    const [min, max] = [low ?? 0, high];
    if (min >= 0 && min <= (max ?? min) && (max ?? min) <= backendsMax && (max ?? min) > 0)
      return { min, max };
    const params = { code: "E0167", hint: impossibleCopies(min, max) };
    context.addIssue({ code: "custom", message: `"${input}" copies cannot be`, params });
    return z.NEVER;
  })
  .describe(
    'How many copies at least, or at least and at most: 2, "2..3"; all: one on each backend.',
  );

function impossibleCopies(min: number, max: number | undefined): string {
  if (min < 0) return "for one on each backend write copies: all";
  if ((max ?? min) === 0) return "write 1 or more; where no copy shall be, say evict";
  return (max ?? min) > backendsMax
    ? `there are ${backendsMax} backends at most`
    : 'write the smaller number first: "2..3"';
}

function copiesHint(): string {
  return 'a number of copies, a range, or all: 2, "2..3"';
}

const confidenceField = z
  .enum(confidences)
  .describe("How sure we must be of a copy for it to count; verified unless said otherwise.");

const perField = z
  .string()
  .regex(/^(region|tier|driver|labels\.[A-Za-z0-9_][A-Za-z0-9_./-]*)$/, {
    error: ({ input }) =>
      "copies spread per region, tier, driver or labels.<key>" +
      (/^[A-Za-z0-9_][A-Za-z0-9_-]*$/.test(String(input))
        ? `: for a label write labels.${input}`
        : ""),
  })
  .describe("Spread the copies over different values of this attribute of backends.");

/** What a condition over backends is when it is left out. */
export const standardConditions: Readonly<Record<string, string>> = {
  "ensure.on": "true",
  "replicate.on": "true",
  "pin.on": "true",
  "archive.on": "tier >= cold",
  "deal.on": `driver = "${dealDriver}"`,
  "promote.from": "true",
  "run.verify.on": "true",
};

const forField = durationField
  .refine((ms) => ms > 0, {
    error: "for: is a time longer than none",
    params: { hint: "write how long: 24h" },
  })
  .describe(
    "How long its copies are wanted after they were made, and after each read since: 24h. " +
      "Then they are given up, once enough others are proven.",
  );

const preferField = oneOrMore(
  "Where new copies go first, as long as there is room: keys or conditions over backends, " +
    'the first one first, such as [tier asc, free desc] or labels.media = "ssd".',
).optional();

const ensureFields = {
  copies: copiesField,
  on: ofBackends("Where the copies count; everywhere unless said").optional(),
  prefer: preferField,
  per: perField.optional(),
  confidence: confidenceField.default("verified"),
  for: forField.optional(),
  deal: dealField.optional(),
};

const dwellField = durationField.describe(
  "How long an object stays where a promotion, demotion or eviction put it: 7d.",
);

const limitObjects = quantityField(parseCount, "a number of objects: 1000, 100k, 2M");

const markField = (about: string) =>
  parsedField(z.number().nonnegative(), readMark, `${about}: 75% of its capacity, or 10TiB.`);

function readMark(text: string): UsageMark {
  const share = /^(\d+(?:\.\d+)?)\s*%$/.exec(text.trim());
  if (/^[1-9][\d.]*$/.test(text.trim())) {
    const hint =
      Number(text) > 100
        ? `write a size: ${text}B`
        : `write ${text}% of its capacity, or a size: ${text}GiB`;
    throw new EngineError("INVALID_DOCUMENT", `the mark ${text} has no unit`, { hint });
  }
  return share === null ? { bytes: parseSize(text) } : { share: Number(share[1]) / 100 };
}

/** How much copies are given up, instead of all that a rule selects. */
const boundFields = {
  above: markField("Only when the backend is fuller than this").optional(),
  until: markField(
    "In the order of the rule, no more than until the backend is down to",
  ).optional(),
  quota: z
    .strictObject({
      per: z
        .string()
        .regex(quotaKey, { error: "quotas are per owner, collection or meta.<key>" })
        .describe("Each owner, each collection, or each value of meta.<key> has it by itself."),
      bytes: sizeField.describe("What its objects may use there, in all: 10TiB."),
    })
    .describe("Only what is beyond a quota, in the order of the rule.")
    .optional(),
};

const boundsProblem = {
  error: "these bounds do not go together",
  params: { hint: "above: needs a lower until: in the same unit; a quota: stands by itself" },
};

function boundsFit(bounds: {
  readonly above?: UsageMark | undefined;
  readonly until?: UsageMark | undefined;
  readonly quota?: object | undefined;
}): boolean {
  const { above, until, quota } = bounds;
  if (quota !== undefined) return above === undefined && until === undefined;
  if (above === undefined) return true;
  if (until === undefined) return false;
  if ("share" in above) return "share" in until && until.share < above.share;
  return "bytes" in until && until.bytes < above.bytes;
}

const groupField = z
  .enum(["collection", "dag"])
  .transform((group) => (group === "collection" ? group : undefined))
  .describe(
    "collection: acts on all objects of a collection that need it, or on none of them. " +
      "dag: on whole DAGs, which is so for every object without saying it.",
  );

/** What a rule may say: exactly one of these. */
const verbFields = {
  hold: z.literal(true).describe("No copy of these objects may be removed."),
  ensure: z
    .strictObject(ensureFields)
    .describe("At least (and at most) so many copies on the backends that `on` selects."),
  replicate: z
    .strictObject(ensureFields)
    .partial({ copies: true })
    .describe("Short for ensure; two copies unless said otherwise."),
  pin: z
    .strictObject(ensureFields)
    .omit({ copies: true, per: true, deal: true })
    .describe("Short for ensure with one copy."),
  archive: z
    .strictObject({
      ...ensureFields,
      on: ofBackends("Where; cold and archive tiers unless said").optional(),
    })
    .partial({ copies: true })
    .describe("Short for ensure on cold and archive tiers, one copy unless said otherwise."),
  deal: z
    .strictObject({
      ...ensureFields,
      on: ofBackends("Where; backends that make deals unless said").optional(),
      ...dealFields,
    })
    .omit({ deal: true })
    .partial({ copies: true })
    .superRefine(checkDeal)
    .describe("Short for ensure by Filecoin deals, one copy unless said otherwise."),
  evict: z
    .strictObject({ from: ofBackends("Where no copy shall be"), ...boundFields })
    .refine(boundsFit, boundsProblem)
    .describe("No copies on these backends, once enough others are proven."),
  demote: z
    .strictObject({
      from: ofBackends("Whence"),
      to: ofBackends("Whither"),
      prefer: preferField,
      dwell: dwellField.optional(),
      ...boundFields,
    })
    .refine(boundsFit, boundsProblem)
    .describe("A verified copy on a colder backend first, then none on the warmer one."),
  promote: z
    .strictObject({
      from: ofBackends("Whence").optional(),
      to: ofBackends("Whither"),
      prefer: preferField,
      dwell: dwellField.optional(),
      for: forField.optional(),
    })
    .describe("A copy on a warmer backend; the colder one stays."),
  delete: z
    .strictObject({ grace: durationField.default(7 * 86_400_000) })
    .describe("Mark, wait for the grace period, then remove everywhere. Seven days if not said."),
  run: runField,
};

export type VerbName = keyof typeof verbFields;
export const verbNames = Object.keys(verbFields) as readonly VerbName[];

const ruleSchema = z
  .strictObject({
    name: nameField,
    description: z.string().optional(),
    where: ofObjects,
    enabled: z
      .boolean()
      .describe("false: the rule is checked like all others, and does nothing.")
      .optional(),
    order: oneOrMore("What goes first when a limit cuts: [heat asc, size desc].").optional(),
    limit: z
      .strictObject({ objects: limitObjects.optional(), bytes: sizeField.optional() })
      .describe("The most that one plan does for this rule.")
      .optional(),
    group: groupField.optional(),
    force: z
      .literal(true)
      .describe("It acts also where that does not pay within the `horizon` of the policy.")
      .optional(),
    ...z.strictObject(verbFields).partial().shape,
  })
  .describe("Selects objects and says one thing that should be true of them.");

/** Whether a rule may have a key of this name. */
export function isRuleKey(key: string): boolean {
  return Object.hasOwn(ruleSchema.shape, key);
}

const { schedule, triggers, windows, ...furtherFields } = settingFields;

/** One policy document, in the form that people write. */
export const policySchema = z
  .strictObject({
    apiVersion: z.literal("thermocline/v1"),
    kind: z.literal("Policy"),
    metadata: z.strictObject({
      name: nameField,
      owner: z.string().optional().describe("Who answers for this policy."),
      description: z.string().optional(),
      priority: z.int().default(0).describe("Rules of the higher priority win."),
    }),
    include: includeField,
    vars: variablesField,
    classes: classesField,
    // The order of these keys is that in which `thermocline fmt` puts them.
    schedule,
    triggers,
    windows,
    rules: z.array(ruleSchema).min(1),
    ...furtherFields,
  })
  .describe("A storage policy of Thermocline.");

/** A policy as validated: units resolved, defaults filled in. */
export type PolicyDocument = z.output<typeof policySchema>;
export type RuleDocument = PolicyDocument["rules"][number];
