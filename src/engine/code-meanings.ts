import { documentCodeMeanings } from "#document/diagnostic-codes.ts";
import { diagnosticCodes } from "#policies/diagnostic-codes.ts";

/** What every diagnostic code means, and what to do. */
export const codeMeanings: Readonly<Record<string, readonly [finding: string, remedy: string]>> = {
  ...documentCodeMeanings,
  ...diagnosticCodes,
};
