import type { StoredCopy } from "#model/copy.ts";
import type { Driver, DriverDefinition } from "#model/driver.ts";

/** What the kit must know of one driver to test it. */
export interface DriverSubject {
  /** As in the report, e.g. "s3 on versitygw v1.7.0". */
  readonly name: string;
  // The kit never looks at the options: it takes the definition of any driver.
  readonly definition: Pick<
    DriverDefinition<never>,
    "name" | "capabilities" | "summary" | "example"
  >;
  /** Asks for the server's name and version, where its status does not tell both. */
  readonly server?: () => Promise<string>;
  /** Why it cannot run on this machine; shown, and everything is skipped. */
  readonly missing: string | undefined;
  /** Tests of the kit that do not apply, each with its reason. */
  readonly skip: readonly { readonly test: string; readonly reason: string }[];
  /** What is smaller it refuses with NOT_SUPPORTED; nothing unless said. */
  readonly bytesMin?: number;
  /** A size that makes the driver take its path for large bodies. */
  readonly largeBytes: number;
  /** Objects of a group in tests; as many as a group may have unless each is a request of its own. */
  readonly groupObjects?: number;
  /** A fresh, empty place to store. */
  storage(): Promise<SubjectStorage>;
}

/** One empty place of storage, made for one test. */
export interface SubjectStorage {
  /** Opens one more driver on this same place. */
  open(options?: { readonly capacityBytes?: number }): Promise<Driver>;
  /** Changes one stored byte behind the driver's back. */
  corrupt(copy: StoredCopy): Promise<void>;
  /** What unfinished writes have left behind: nothing, if all is well. */
  leftovers(): Promise<readonly string[]>;
  /** Removes the place. */
  remove(): Promise<void>;
}
