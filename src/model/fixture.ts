import type { StorageLock } from "#model/copy.ts";
import type { Access, NewObject } from "#model/index-store.ts";

/** An object that a policy test supposes, with what an object in service would gather in time. */
export interface FixtureObject extends NewObject {
  /** When the index first saw it. */
  readonly ingested: Date;
  /** When it was marked for deletion. */
  readonly tombstoned: Date | undefined;
  /** When it was promoted, demoted or evicted last. */
  readonly moved: Date | undefined;
  readonly held: boolean;
  /** Backends to which a running plan is copying it. */
  readonly arriving: readonly string[];
  /** Copies that a rule (`policy/rule`) had made for a time, and when; without a backend: gone. */
  readonly leases: readonly {
    readonly rule: string;
    readonly backend: string | undefined;
    readonly since: Date;
  }[];
  /** Copies that their backends let nobody remove. */
  readonly locks: readonly { readonly backend: string; readonly lock: StorageLock }[];
  /** Its reads; `object` is its CID. */
  readonly accesses: readonly Access[];
  /** What its heat is to be at a moment, whatever its reads give. */
  readonly heat: { readonly value: number; readonly at: Date } | undefined;
}
