import type { Driver } from "#model/driver.ts";
import type { DriverSubject, SubjectStorage } from "../driver-subject.ts";

/** What a test of the kit works with: one empty place, and drivers on it. */
export interface KitContext {
  readonly subject: DriverSubject;
  readonly storage: SubjectStorage;
  readonly driver: Driver;
  /** Tells reporters which server is tested. */
  readonly tellServer: (server: string) => void;
  /** Opens one more driver on the same place; it is closed after the test. */
  readonly open: (options?: { readonly capacityBytes?: number }) => Promise<Driver>;
}

export interface KitTest {
  readonly name: string;
  readonly run: (context: KitContext) => Promise<void>;
}

/** The backend name that every driver of the kit is opened under. */
export const kitBackend = "under-test";
