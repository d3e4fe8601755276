import type { Tier } from "#model/copy.ts";
import type { DriverCapabilities } from "#model/driver.ts";

/** One configured place that can hold copies, with what the planner must know of it. */
export interface Backend {
  /**
   * Bit position of this backend in copy masks: dense, assigned once, never used again for
   * another backend, 0 to `backendsMax - 1`.
   */
  readonly id: number;
  readonly name: string;
  readonly driver: string;
  readonly tier: Tier;
  readonly region: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly capacityBytes: number | undefined;
  readonly usedBytes: number;
  /** Room for new copies; undefined means no known bound. */
  readonly freeBytes: number | undefined;
  readonly cordoned: boolean;
  readonly price: PriceCard;
  readonly capabilities: DriverCapabilities;
  /** Others (by id) that are known to be the same storage, at least in part; absent without any. */
  readonly sameAs?: readonly number[];
}

/** Masks are signed 64-bit integers in SQL: bit 63 stays unused. */
export const backendsMax = 62;

/** Prices in US dollars; bytes are binary (GiB), a month has 30 days. Zero where it is free. */
export interface PriceCard {
  readonly perGibMonth: number;
  readonly perWrite: number;
  readonly perRead: number;
  /** For bytes that leave the service. */
  readonly egressPerGib: number;
  /** For bytes that are read from a cold class, besides egress. */
  readonly retrievalPerGib: number;
  readonly minimumDurationMs: number;
  readonly minimumBytes: number;
}

export const freeOfCharge: PriceCard = {
  perGibMonth: 0,
  perWrite: 0,
  perRead: 0,
  egressPerGib: 0,
  retrievalPerGib: 0,
  minimumDurationMs: 0,
  minimumBytes: 0,
};

/** Whether a backend charges for anything. */
export function hasPrice({ price }: Pick<Backend, "price">): boolean {
  return (
    price.perGibMonth + price.perWrite + price.perRead > 0 ||
    price.egressPerGib + price.retrievalPerGib > 0
  );
}
