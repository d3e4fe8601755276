import { z } from "zod";
import { durationField, nameField, parsedField, sizeField } from "#document/fields.ts";
import { priceCardField } from "#document/price-card-field.ts";
import { confidences, copyStates, tiers } from "#model/copy.ts";
import { EngineError } from "#model/engine-error.ts";
import { nanoUsd, parseMoney } from "#model/money.ts";
import { blockReasons, verbs } from "#model/plan.ts";
import { parseSize } from "#model/quantity.ts";

const ago = (what: string) =>
  durationField.describe(`${what}, as long before the clock: 30d, 12h.`);

const timeField = parsedField(
  z.number(),
  readTime,
  "A moment: 2026-06-01T12:00:00Z, or 2026-06-01 for its first second in UTC.",
);

function readTime(text: string): Date {
  const time = new Date(text);
  if (/^\d{4}-\d{2}-\d{2}(T.*)?$/.test(text) && !Number.isNaN(time.getTime())) return time;
  throw new EngineError("INVALID_DOCUMENT", `"${text}" is not a moment`, {
    hint: "write 2026-06-01 or 2026-06-01T12:00:00Z",
  });
}

const textList = z
  .union([z.string().min(1), z.array(z.string().min(1))])
  .transform((given) => (typeof given === "string" ? [given] : given));

const usedField = parsedField(
  z.number().nonnegative(),
  readUse,
  "Bytes in use, or their share of the capacity: 90GiB, 90%; none unless said.",
);

/** What a backend holds: bytes, or a share of its capacity. */
type Use = { readonly bytes: number } | { readonly share: number };

function readUse(text: string): Use {
  const share = /^(\d+(?:\.\d+)?)\s*%$/.exec(text.trim());
  return share === null ? { bytes: parseSize(text) } : { share: Number(share[1]) / 100 };
}

const backendFields = {
  tier: z.enum(tiers),
  region: z.string().min(1),
  labels: z.record(z.string(), z.string()),
  driver: z.string().min(1).describe("Kind of storage, for what it can do; local unless said."),
  capacity: sizeField.describe("What it can hold in all; without it, it is never full."),
  used: usedField,
  cordoned: z.boolean().describe("Takes no new copies."),
  price: priceCardField.describe("What it charges, as in the configuration; nothing unless said."),
};

const amountField = parsedField(
  z.number(),
  readAmount,
  "Dollars, compared at the places that are written: 0.90 USD, -19 USD.",
);

/** An amount, and to how many places it is told. */
export interface ExpectedAmount {
  readonly nanoUsd: bigint;
  readonly places: number;
}

function readAmount(text: string): ExpectedAmount {
  const amount = text.trim();
  const isNegative = amount.startsWith("-");
  const size = nanoUsd(parseMoney(isNegative ? amount.slice(1) : amount));
  const places = /\.(\d+)/.exec(amount)?.[1]?.length ?? 0;
  return { nanoUsd: isNegative ? -size : size, places };
}

const backendSchema = z
  .strictObject({ name: nameField, ...z.strictObject(backendFields).partial().shape })
  .required({ tier: true })
  .describe("A backend that the tests suppose.");

const copySchema = z
  .union([
    z.string().min(1),
    z.strictObject({
      on: z.string().min(1).describe("Name of the backend."),
      confidence: z.enum(confidences).default("verified"),
      age: ago("When it was checked last").optional(),
      state: z.enum(copyStates).default("present"),
      arriving: z.boolean().describe("A running plan is still copying it there.").optional(),
      leased: z
        .strictObject({
          by: z.string().regex(/^[^/]+\/[^/]+$/, { error: "policy/rule" }),
          ago: ago("When that rule had it made"),
        })
        .describe("A rule with for: had it made.")
        .optional(),
      locked: z
        .union([z.literal("legal-hold"), durationField])
        .describe(
          "Its backend lets nobody remove it: for so long from the clock on, or legal-hold.",
        )
        .optional(),
    }),
  ])
  .transform((given) =>
    typeof given === "string"
      ? { on: given, confidence: "verified" as const, state: "present" as const }
      : given,
  );

const readsSchema = z.strictObject({
  ago: ago("When it was read"),
  count: z.int().positive().max(100_000).default(1),
  weight: z.number().nonnegative().default(1).describe("1 for a whole read, 0 for a probe."),
});

const attributeFields = {
  like: z.string().min(1).describe("Takes over what is not said here from this object."),
  cid: z.string().min(1).describe("Its CID; made from the names of test and object unless said."),
  path: textList.describe("Its name or names, such as /films/a.mkv."),
  size: sizeField.describe("Bytes of its content; 1MiB unless said."),
  type: z.string().min(1).describe("Media type."),
  collection: z.string().min(1),
  owner: z.string().min(1),
  tags: textList,
  age: ago("When it was created and brought in"),
  modified: ago("When its source changed last"),
  idle: ago("When it was read last (one read)"),
  heat: z.number().nonnegative().describe("Heat at the clock, whatever reads are listed."),
  reads: z.array(readsSchema).describe("Reads, which make heat, idle and accesses(…)."),
  held: z.boolean().describe("Somebody holds it: thermocline hold."),
  deleting: ago("When it was marked for deletion"),
  moved: ago("When a promotion, demotion or eviction moved it last"),
  ran: z
    .array(
      z.strictObject({
        by: z.string().regex(/^[^/]+\/[^/]+$/, { error: "policy/rule" }),
        ago: ago("When it was done last"),
      }),
    )
    .describe("What rules with run: notify, command or export-car had done with it."),
  copies: z.array(copySchema).describe("Where it is: names of backends, or {on: hot, …}."),
};

const objectSchema = z
  .strictObject({ name: nameField, ...z.strictObject(attributeFields).partial().shape })
  .describe("An object that the tests suppose.");

const oneOrMore = (about: string) => textList.describe(about);

const expectationSchema = z
  .strictObject({
    object: oneOrMore("The object, or objects, that this is said of."),
    action: z
      .enum([...verbs, "none"])
      .describe("What the plan does with it; none: nothing at all.")
      .optional(),
    from: z
      .string()
      .min(1)
      .describe("The backend that gives up its copy, or whose copy is checked.")
      .optional(),
    to: oneOrMore("The backend that gets a copy, or those of which one may.").optional(),
    rule: z.string().min(1).describe("The rule that wins: rule, or policy/rule.").optional(),
    blocked: z
      .enum(blockReasons)
      .describe("Why a rule that matches cannot have what it wants.")
      .optional(),
  })
  .describe("One action, its absence, or what blocks a rule.");

const caseSchema = z
  .strictObject({
    name: z.string().min(1).describe("What is true when it passes, as a sentence."),
    now: timeField.describe("The clock of this test.").optional(),
    vars: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
    backends: z
      .record(z.string(), z.strictObject(backendFields).partial())
      .describe("What is different about backends in this test, by name.")
      .optional(),
    given: z
      .array(z.union([z.string().min(1), objectSchema]))
      .describe("Objects of this test: names from objects:, or objects. All of them unless said.")
      .optional(),
    expect: z
      .union([z.literal("nothing"), z.array(expectationSchema)])
      .transform((given) => (given === "nothing" ? [] : given))
      .describe("Every action that the plan may have, no more and no fewer; nothing: none."),
    cost: z
      .strictObject({
        now: amountField.describe("What is paid once: 0.90 USD.").optional(),
        month: amountField.describe("By how much a month gets dearer: -0.19 USD.").optional(),
      })
      .describe("What the actions of the plan cost, by the prices of the backends.")
      .optional(),
    selects: z
      .record(z.string(), textList)
      .describe("For a rule, exactly the objects that its where: selects, whoever wins.")
      .optional(),
  })
  .describe("One test.");

/** One test document, in the form that people write. */
export const policyTestSchema = z
  .strictObject({
    apiVersion: z.literal("thermocline/v1"),
    kind: z.literal("PolicyTest"),
    metadata: z.strictObject({ name: nameField, description: z.string().optional() }),
    policies: textList.describe("Policy files, folders or globs, relative to this file."),
    now: timeField
      .describe("The clock that tests suppose; 2026-01-01T00:00:00Z unless said.")
      .optional(),
    vars: z
      .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
      .describe("Values of variables, as with --var.")
      .default({}),
    heatHalfLife: durationField
      .describe("As heat.halfLife of the configuration; 7d unless said.")
      .optional(),
    minimumCopies: z
      .int()
      .positive()
      .default(1)
      .describe("As safety.minimumCopies of the configuration."),
    backends: z.array(backendSchema).min(1),
    objects: z.array(objectSchema).default([]),
    tests: z.array(caseSchema).min(1),
  })
  .describe("Tests of storage policies: supposed objects and backends, and the actions expected.");

/** A test document as validated: units resolved, defaults filled in. */
export type PolicyTestDocument = z.output<typeof policyTestSchema>;
export type FixtureBackend = PolicyTestDocument["backends"][number];
export type BackendChange = NonNullable<CaseDocument["backends"]>[string];
export type FixtureAttributes = PolicyTestDocument["objects"][number];
export type CaseDocument = PolicyTestDocument["tests"][number];
export type Expectation = CaseDocument["expect"][number];
