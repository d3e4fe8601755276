import { z } from "zod";
import type { PriceCard } from "#model/backend.ts";
import { currency } from "#model/money.ts";
import { durationField, sizeField } from "#document/fields.ts";

const usdField = z.number().nonnegative().max(1_000_000).default(0);

/** What a backend charges, as people write it. */
export const priceCardField = z.strictObject({
  currency: z
    .string()
    .regex(new RegExp(`^${currency}$`), {
      error: `all prices of an installation are in ${currency}: convert them, and leave this out`,
    })
    .optional()
    .describe("what the figures are in; one for the whole installation"),
  perGiBMonth: usdField.describe("USD for keeping one GiB for a month of 30 days"),
  perThousandWrites: usdField.describe("USD for 1,000 write requests; a copy made is one"),
  perThousandReads: usdField.describe("USD for 1,000 read requests; a copy read is one"),
  egressPerGiB: usdField.describe("USD for one GiB that leaves the service"),
  retrievalPerGiB: usdField.describe("USD for one GiB read from a cold class, besides egress"),
  minimumDuration: durationField.prefault("0ms").describe("a copy is charged at least this long"),
  minimumSize: sizeField.prefault("0B").describe("a copy is charged at least at this size"),
});

/** The same for the planner: by the single request. */
export function priceCardOf(price: z.output<typeof priceCardField>): PriceCard {
  return {
    perGibMonth: price.perGiBMonth,
    perWrite: price.perThousandWrites / 1_000,
    perRead: price.perThousandReads / 1_000,
    egressPerGib: price.egressPerGiB,
    retrievalPerGib: price.retrievalPerGiB,
    minimumDurationMs: price.minimumDuration,
    minimumBytes: price.minimumSize,
  };
}
