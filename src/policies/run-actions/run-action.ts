import type { z } from "zod";
import type { RunOrder } from "#model/run-order.ts";
import type { CompiledRun } from "#policies/compiled-policy.ts";
import type { SqlFragment } from "#policies/sql-fragment.ts";

/** What a rule says under the name of its action, once read. */
export interface RunSetting<Order extends RunOrder = RunOrder> {
  readonly order: Order;
  /** After how long it is wanted again; once is enough when it does not say. */
  readonly everyMs?: number;
}

/** A rule as the plan asks whether it wants something of an object. */
export interface RunningRule {
  /** `policy/rule`. */
  readonly id: string;
  readonly verb: CompiledRun;
  readonly now: Date;
}

/**
 * One action of `run:`: the language's side of it, a file of this folder. What does it is in
 * `src/jobs/acts`, or in the index.
 */
export interface RunActionDefinition<Order extends RunOrder, Input> {
  /** Equals the file name, the key under `run:`, and the verb of its actions in plans. */
  readonly name: Order["action"];
  readonly schema: z.ZodType<RunSetting<Order>, Input>;
  /** A rule's worth of YAML, for the documentation; tests run it. */
  readonly example: string;
  /** What becomes of an object, in words that do not depend on the time of evaluation. */
  words(order: Order): string;
  /**
   * SQL over `object o` or a candidate `o`, never null: it may want something of this object.
   * What is done already is told here, so that a plan after all was done has nothing to do.
   */
  wants(rule: RunningRule, order: Order): SqlFragment;
}
