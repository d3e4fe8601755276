/** What a test of the driver kit tells reporters of itself: the `meta` of its task. */
export interface KitNote {
  /** The driver's name in the registry. */
  readonly driver: string;
  /** As in reports, e.g. "s3 on versitygw v1.7.0". */
  readonly subject: string;
  readonly test: string;
  /** Why it is not run: `missing` on this machine, or that this driver cannot do it anywhere. */
  readonly skipped?: { readonly cause: "missing" | "driver"; readonly reason: string };
  /** Name and version of what answered, in its own words; from the test that asks for them. */
  readonly server?: string;
}

declare module "vitest" {
  interface TaskMeta {
    driverKit?: KitNote;
  }
}
