import { z } from "zod";
import { durationField, parsedField } from "#document/fields.ts";
import { EngineError } from "#model/engine-error.ts";
import { readLiteral } from "#policies/expression/read-literal.ts";
import { sameType } from "#policies/expression/value-type.ts";
import { variableTypes } from "#policies/variable-types.ts";

/** The kind of backend that makes deals. */
export const dealDriver = "filecoin";

/** What must be agreed with those who store: terms that all copies of a rule are made under. */
export type DealTerms = DealChoice &
  (
    | {
        /** Sealed for a fixed time; a renewal is a new deal. */
        readonly product: "porep";
        readonly durationMs: number;
        /** How long before the end the next deal is made. */
        readonly renewBeforeMs: number;
      }
    | {
        /** Proven every day for as long as it is paid. */
        readonly product: "pdp";
        /** For how long ahead the payment rail is funded. */
        readonly runwayMs: number;
        /** It is topped up when less than this is left. */
        readonly topUpBeforeMs: number;
      }
  );

interface DealChoice {
  /** USD for a byte and millisecond, in the units of the language. */
  readonly maxPrice?: number;
  readonly providers?: {
    readonly include?: readonly string[];
    readonly exclude?: readonly string[];
  };
  /** ISO 3166-1 codes of two letters. */
  readonly country?: readonly string[];
}

const dayMs = 86_400_000;
/** Bounds of the market actor: 180 and 1,278 days (FIP-0052). */
const dealDaysMin = 180;
const dealDaysMax = 1_278;

const standard = { renewBefore: 30 * dayMs, runway: 90 * dayMs, topUpBefore: 30 * dayMs } as const;

const providers = z
  .array(
    z.string().regex(/^[ft]0\d+$|^0x[0-9a-fA-F]{40}$|^\d+$/, {
      error: "a provider is f01234, 0x…, or its number in the registry",
    }),
  )
  .min(1);

const priceField = parsedField(z.number().nonnegative(), readPrice, "0.10 USD/GiB/month");

function readPrice(text: string): number {
  const literal = readLiteral(text);
  if (literal !== undefined && sameType(literal.type, variableTypes.price)) {
    return Number(literal.value);
  }
  throw new EngineError("INVALID_DOCUMENT", `"${text}" is not a price for size and time`, {
    hint: "write 0.10 USD/GiB/month",
  });
}

/** The keys of deals, for `deal:` within a verb and for the verb itself. */
export const dealFields = {
  product: z
    .enum(["pdp", "porep"])
    .describe("porep: sealed for a fixed time. pdp: proven daily, for as long as it is paid.")
    .optional(),
  duration: durationField.describe("porep: how long a deal lasts, 180d to 1278d.").optional(),
  renewBefore: durationField
    .describe("porep: a new deal is made this long before the end; 30d unless said.")
    .optional(),
  runway: durationField
    .describe("pdp: for how long ahead payment is funded; 90d unless said.")
    .optional(),
  topUpBefore: durationField
    .describe("pdp: payment is topped up when less is left; 30d unless said.")
    .optional(),
  maxPrice: priceField.describe("What storing may cost at most: 0.10 USD/GiB/month.").optional(),
  providers: z
    .strictObject({ include: providers.optional(), exclude: providers.optional() })
    .describe("Who may store, and who may not.")
    .optional(),
  country: z
    .union([z.string(), z.array(z.string()).min(1)])
    .transform((given) => (typeof given === "string" ? [given] : given))
    .pipe(
      z.array(
        z.string().regex(/^[A-Z]{2}$/, { error: "a country is two capital letters: DE, US" }),
      ),
    )
    .describe("Where providers may be: DE, or [DE, FR].")
    .optional(),
  verified: z
    .boolean()
    .describe("Only false: verified deals ended with network version 29 (FIP-0118).")
    .optional(),
};

const dealObject = z.strictObject(dealFields);
export type DealFields = z.output<typeof dealObject>;

/** `deal:` of a verb that ensures copies. */
export const dealField = dealObject
  .superRefine(checkDeal)
  .describe("Terms of Filecoin deals by which copies on such backends are made.");

/** Terms as they count, with what is left out filled in. Only for fields that were checked. */
export function dealTerms(fields: DealFields): DealTerms {
  const { duration, renewBefore, runway, topUpBefore, maxPrice, providers: who, country } = fields;
  const choice: DealChoice = {
    ...(maxPrice === undefined ? {} : { maxPrice }),
    ...(who === undefined ? {} : { providers: definedOf(who) }),
    ...(country === undefined ? {} : { country }),
  };
  if (productOf(fields) === "porep") {
    const renewBeforeMs = renewBefore ?? standard.renewBefore;
    return { ...choice, product: "porep", durationMs: duration ?? 0, renewBeforeMs };
  }
  const runwayMs = runway ?? standard.runway;
  const topUpBeforeMs = topUpBefore ?? Math.min(standard.topUpBefore, runwayMs / 3);
  return { ...choice, product: "pdp", runwayMs, topUpBeforeMs };
}

function definedOf({ include, exclude }: NonNullable<DealFields["providers"]>) {
  return {
    ...(include === undefined ? {} : { include }),
    ...(exclude === undefined ? {} : { exclude }),
  };
}

/** Not said, the product is the one that has such terms. */
function productOf({ product, duration, renewBefore }: DealFields): "pdp" | "porep" {
  if (product !== undefined) return product;
  return duration === undefined && renewBefore === undefined ? "pdp" : "porep";
}

interface Problem {
  readonly key: keyof DealFields;
  readonly message: string;
  readonly hint: string;
}

/** Reports terms that do not go together. */
export function checkDeal(fields: DealFields, context: z.RefinementCtx): void {
  for (const { key, message, hint } of dealProblems(fields)) {
    context.addIssue({ code: "custom", path: [key], message, params: { code: "E0174", hint } });
  }
}

function dealProblems(fields: DealFields): readonly Problem[] {
  const product = productOf(fields) === "porep" ? sealedProblems(fields) : provenProblems(fields);
  if (fields.verified !== true) return product;
  const message =
    "verified deals have ended: since network version 29 (FIP-0118) there is no DataCap for them";
  return [{ key: "verified", message, hint: "remove verified:" }, ...product];
}

function sealedProblems(fields: DealFields): readonly Problem[] {
  const { duration, renewBefore = standard.renewBefore } = fields;
  const strange = (["runway", "topUpBefore"] as const)
    .filter((key) => fields[key] !== undefined)
    .map((key) => ({
      key,
      message: `${key} is for pdp: a porep deal is paid for its whole time`,
      hint: "remove it, or write product: pdp",
    }));
  if (duration === undefined) {
    const key = fields.product === undefined ? "renewBefore" : "product";
    const message = "a porep deal has a fixed time";
    return [...strange, { key, message, hint: "add duration: 540d" }];
  }
  if (duration < dealDaysMin * dayMs || duration > dealDaysMax * dayMs) {
    const message = `a deal lasts ${dealDaysMin} to ${dealDaysMax} days on the network`;
    return [...strange, { key: "duration", message, hint: "write 180d to 1278d" }];
  }
  if (renewBefore < duration) return strange;
  const message = "it would be renewed before it begins";
  return [...strange, { key: "renewBefore", message, hint: "write less than duration:" }];
}

function provenProblems(fields: DealFields): readonly Problem[] {
  const { runway = standard.runway, topUpBefore } = fields;
  const strange = (["duration", "renewBefore"] as const)
    .filter((key) => fields[key] !== undefined)
    .map((key) => ({
      key,
      message: `${key} is for porep: pdp has no end date, it lasts for as long as it is paid`,
      hint: "write runway: and topUpBefore:, or product: porep",
    }));
  if (topUpBefore === undefined || topUpBefore < runway) return strange;
  const message = "payment would be topped up all the time";
  return [...strange, { key: "topUpBefore", message, hint: "write less than runway:" }];
}
