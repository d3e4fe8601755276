import type { Config } from "#config.ts";
import type { BackendPool } from "#engine/backend-pool.ts";
import type { EngineEvents } from "#engine/events.ts";
import type { LastPlan } from "#engine/last-plan.ts";
import type { NodeTable } from "#engine/node-table.ts";
import type { PolicyBook } from "#engine/policy-book.ts";
import type { SnapshotDesk } from "#engine/snapshots/snapshot-desk.ts";
import type { TimingBook } from "#engine/timing-book.ts";
import type { BackendWatch } from "#jobs/backend-watch.ts";
import type { IndexSession } from "#index/read-session.ts";
import type { ObjectIndex } from "#index/object-index.ts";
import type { LimitBook } from "#jobs/limits/limit-book.ts";
import type { AttributeRegistry } from "#policies/attribute-registry.ts";
import type { OutsidePort } from "#model/outside.ts";
import type { Moment } from "#policies/compiled-policy.ts";

/** What the parts of the engine share. */
export interface EngineContext {
  readonly config: Config;
  readonly version: string;
  readonly index: ObjectIndex;
  readonly pool: BackendPool;
  /** What a worker in this process may reach outside of the installation. */
  readonly outside: OutsidePort | undefined;
  readonly policies: PolicyBook;
  /** When they run, cheap to ask for again and again. */
  readonly timings: TimingBook;
  readonly registry: AttributeRegistry;
  /** What becomes true in the index: lost copies, new objects, new backends. */
  readonly events: EngineEvents;
  /** Which backends are out or take no writes. */
  readonly watch: BackendWatch;
  readonly lastPlan: LastPlan;
  /** How hard backends may be worked now, and who has which share of that. */
  readonly limits: LimitBook;
  /** The nodes that reported themselves. */
  readonly nodes: NodeTable;
  /** Snapshots of the index, here and on backends. */
  readonly snapshots: SnapshotDesk;
  readonly now: () => Date;
  /**
   * The inventory and heat settings as they are, for an evaluation at a time; as a session sees
   * them, for whoever has one.
   */
  readonly moment: (now: Date, session?: IndexSession) => Promise<Moment>;
}
