import { InvalidArgumentError } from "@commander-js/extra-typings";
import type { PlanRequest } from "#model/engine-api.ts";
import { EngineError } from "#model/engine-error.ts";
import { type CostLimit, limitOfCost, parseCostLimit } from "#model/cost-limit.ts";
import { currency } from "#model/money.ts";
import { parseObjectsLimit, type PlanLimits } from "#model/plan-limits.ts";
import { parseSize } from "#model/quantity.ts";

type ObjectsLimit = ReturnType<typeof parseObjectsLimit>;

/** Reads `--limit-objects`: 1000, 100k, 5%. */
export function objectsLimit(text: string): ObjectsLimit {
  return read(text, parseObjectsLimit);
}

/** Reads `--limit-bytes`: 5TiB. */
export function sizeOption(text: string): number {
  return read(text, parseSize);
}

/** Reads `--limit-cost`: 50 USD, 50 USD/month, or the same without the unit. */
export function costLimit(text: string): CostLimit {
  return read(text.replace(/^\s*([\d.]+)(?=\s*(?:\/|$))/, `$1 ${currency}`), parseCostLimit);
}

/** The limits of a plan as its options say; nothing when they say none. */
export function limitsOf(options: {
  readonly limitObjects?: ObjectsLimit | undefined;
  readonly limitBytes?: number | undefined;
  readonly limitCost?: CostLimit | undefined;
}): Pick<PlanRequest, "limits"> {
  const { limitObjects, limitBytes, limitCost } = options;
  const bytes = limitBytes === undefined ? {} : { bytes: limitBytes };
  const cost = limitCost === undefined ? {} : limitOfCost(limitCost);
  const limits: PlanLimits = { ...limitObjects, ...bytes, ...cost };
  return Object.keys(limits).length === 0 ? {} : { limits };
}

function read<Value>(text: string, parse: (text: string) => Value): Value {
  try {
    return parse(text);
  } catch (thrown) {
    const { message, hint } = EngineError.from(thrown);
    throw new InvalidArgumentError(hint === undefined ? message : `${message}: ${hint}.`);
  }
}
