import { EngineError } from "#model/engine-error.ts";

/** The one currency of an installation: prices, costs and limits are all in it. */
export const currency = "USD";

/** An amount in US dollars as decimal text with up to nine places: it is exact at any size. */
export type Usd = string;

const nanoPerUsd = 1_000_000_000n;

/** Whole billionths of a dollar → `-1.25`; the last digits that are zero are left out. */
export function usdText(nanoUsd: bigint): Usd {
  const size = nanoUsd < 0n ? -nanoUsd : nanoUsd;
  const fraction = String(size % nanoPerUsd).padStart(9, "0");
  const text = `${size / nanoPerUsd}.${fraction}`.replace(/\.?0+$/, "");
  return nanoUsd < 0n ? `-${text}` : text;
}

/** A price in dollars → whole billionths of a dollar, in which all is computed. */
export function nanoUsd(usd: number): bigint {
  return BigInt(Math.round(usd * Number(nanoPerUsd)));
}

/** `50 USD` or `0.05 USD` → dollars. Throws INVALID_DOCUMENT. */
export function parseMoney(text: string): number {
  const [, digits, unit] = /^\s*(\d+(?:\.\d{1,9})?)\s*([A-Za-z]*)\s*$/.exec(text) ?? [];
  if (digits !== undefined && unit === currency) return Number(digits);
  const isOther = digits !== undefined && unit !== undefined && unit !== "";
  const problem = isOther
    ? `is not in ${currency}, as all prices are`
    : "is not an amount of money";
  throw new EngineError("INVALID_DOCUMENT", `"${text}" ${problem}`, {
    hint: `write 50 ${currency} or 0.05 ${currency}`,
  });
}

/** For people: `0.0012 USD`. */
export function formatMoney(usd: Usd | number): string {
  return `${moneyText(usd)} ${currency}`;
}

/** The amount alone: cents, and two digits that say something where there are no cents. */
export function moneyText(usd: Usd | number): string {
  const value = Number(usd);
  const size = Math.abs(value);
  if (size === 0 || size >= 0.1) return value.toFixed(2);
  const places = Math.min(9, 1 - Math.floor(Math.log10(size)));
  return Number(value.toFixed(places)).toFixed(places);
}
