/** A listing of a backend, in the temporary view or table `listing`. */
export interface Listing {
  /** No other listing has it. */
  readonly id: string;
  /** Files that it is in. */
  readonly parts: number;
  /** Copies that are listed, also twice. */
  readonly entries: number;
  readonly backend: string;
  readonly backendId: number;
  /** `listing`, or what else it was read from. */
  readonly source: string;
  readonly begunAt: Date;
  /** What the listing tells is as of then: copies that changed since are left as they are. */
  readonly asOf: Date;
  /** Copies that were checked since then may be newer: the backend is asked before they are lost. */
  readonly doubtSince: Date;
  readonly foreign: number;
}
