/** How long a lease lasts and how its holder and its contenders treat it. */
export const leaseTiming = {
  /** A holder that is silent for so long may be replaced. */
  ttlMs: 6_000,
  /** Three renewals may fail before the lease runs out. */
  renewEveryMs: 2_000,
  /**
   * The holder stops relying on the lease this long before the store may give it away: clocks do
   * not run at exactly the same speed, and the store counts in whole milliseconds.
   */
  marginMs: 500,
  /** How often a standby looks whether the lease is free. */
  pollEveryMs: 500,
  /** A store that does not answer a call within this is treated as away. */
  callTimeoutMs: 2_000,
} as const;

export type LeaseTiming = { readonly [Name in keyof typeof leaseTiming]: number };
