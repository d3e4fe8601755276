import type { Backend, PriceCard } from "#model/backend.ts";
import { nanoUsd, type Usd, usdText } from "#model/money.ts";

/**
 * Money in SQL is HUGEINT in shares of 2^-30 of a billionth of a dollar: in these, bytes times a
 * price per GiB is a whole number, so that sums are exact whatever their order, and a total is
 * what its rows add up to. It is rounded once, when it is told.
 */
const shareBits = 30n;
const sharesPerNanoUsd = 2n ** shareBits;
export const sharesPerUsd = sharesPerNanoUsd * 1_000_000_000n;

/** A month, as in policies. */
export const monthMs = 30 * 86_400_000;

/** Rows of prices in shares, for `price(${priceColumns})`; one of them for no backend at all. */
export function priceRows(backends: readonly Pick<Backend, "id" | "price">[]): string {
  const nothing = "(-1::INTEGER, 0::HUGEINT, 0::HUGEINT, 0::HUGEINT, 0::HUGEINT, 0, 0)";
  return [nothing, ...backends.map(priceRow)].join(", ");
}

export const priceColumns =
  "backend_id, per_byte_month, per_write, per_read, per_byte_read, minimum_bytes, minimum_ms";

function priceRow({ id, price }: { readonly id: number; readonly price: PriceCard }): string {
  const { perByteMonth, perWrite, perRead, perByteRead } = priceShares(price);
  const amounts = [perByteMonth, perWrite, perRead, perByteRead].map(
    (amount) => `${amount}::HUGEINT`,
  );
  const { minimumBytes, minimumDurationMs } = price;
  return `(${id}::INTEGER, ${amounts.join(", ")}, ${minimumBytes}::BIGINT, ${minimumDurationMs}::BIGINT)`;
}

/** What a card charges, in shares. */
export interface PriceShares {
  readonly perByteMonth: bigint;
  readonly perWrite: bigint;
  readonly perRead: bigint;
  readonly perByteRead: bigint;
}

export function priceShares(price: PriceCard): PriceShares {
  return {
    // A share is so small that a price per GiB in billionths is one per byte in shares.
    perByteMonth: nanoUsd(price.perGibMonth),
    perWrite: sharesOf(price.perWrite),
    perRead: sharesOf(price.perRead),
    perByteRead: nanoUsd(price.egressPerGib) + nanoUsd(price.retrievalPerGib),
  };
}

/** Bytes that a backend of `price AS p` charges for. */
export function billedBytes(bytes: string, p: string): string {
  return `greatest(${bytes}, ${p}.minimum_bytes)`;
}

/** What keeping so many bytes for a month costs, in shares. */
export function keepingCost(bytes: string, p: string): string {
  return `(${billedBytes(bytes, p)} * ${p}.per_byte_month)`;
}

/** What reading a copy of so many bytes once costs: a request, egress and retrieval. */
export function readingCost(bytes: string, p: string): string {
  return `(${p}.per_read + ${bytes} * ${p}.per_byte_read)`;
}

/** What it costs to read so many bytes of a backend `s` and to write them to another one, `t`. */
export function copyingCost(bytes: string, s: string, t: string): string {
  return `(${readingCost(bytes, s)} + ${t}.per_write)`;
}

/** How long a copy that is known `since` would have to stay until nothing is charged any more. */
export function leftMs(now: Date, since: string, p: string): string {
  const aged = `(${now.getTime()} - epoch_ms(${since}))`;
  return `greatest(0, ${p}.minimum_ms - coalesce(${aged}, ${p}.minimum_ms))`;
}

/** What is still charged for a copy that goes so long (in ms) before its minimum duration. */
export function earlyEndCost(bytes: string, p: string, leftMs: string): string {
  return `(${keepingCost(bytes, p)} * ${leftMs} // ${monthMs})`;
}

/** Dollars in shares. */
export function sharesOf(usd: number): bigint {
  return nanoUsd(usd) * sharesPerNanoUsd;
}

/** A sum of shares, told in text (which has no bound), as dollars. */
export function usdOfShares(shares: unknown): Usd {
  const value = BigInt(String(shares));
  const half = sharesPerNanoUsd / 2n;
  const size = ((value < 0n ? -value : value) + half) / sharesPerNanoUsd;
  return usdText(value < 0n ? -size : size);
}
