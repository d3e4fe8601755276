/**
 * Every metric of the engine: one table that feeds the registry, the documentation and the
 * check of alert rules. Names follow Prometheus: one prefix, base units, `_total` for counters.
 * No label may take the name of an object, a run, a path or anything else without a bound.
 *
 * `lasts` says how long a counter goes on counting: `index` ones survive restarts, `process`
 * ones begin at zero with the process that counts and carry its name in the label `node`.
 */
export interface MetricDefinition {
  readonly type: "counter" | "gauge" | "histogram";
  readonly lasts: "index" | "process" | "now";
  readonly labels: readonly string[];
  readonly help: string;
  /** Upper bounds of a histogram's buckets. */
  readonly buckets?: readonly number[];
}

export const metricDefinitions = {
  thermocline_build_info: now(["version"], "Always 1; the label says what runs."),
  thermocline_start_time_seconds: now([], "When the controller started, in seconds since 1970."),
  thermocline_node_info: now(
    ["node", "roles", "arch"],
    "Always 1; the labels say what each node is.",
  ),
  thermocline_node_up: now(["node"], "1 while the node reports itself."),
  thermocline_node_state: now(
    ["node", "state"],
    "1 for the state the node is in, 0 for the others: `working`, `paused` (it takes no work), `down`.",
  ),
  thermocline_node_clock_ahead_seconds: now(
    ["node"],
    "How far the node's clock is ahead of the controller's at least (negative: behind); absent for the controller's own process.",
  ),
  thermocline_controller_epoch: now([], "Grows by one with every controller that takes over."),
  thermocline_controller_standbys: now([], "Controllers that wait to take over."),
  thermocline_published_index_age_seconds: now(
    [],
    "Age of the newest index in `standby.directory`; it grows while nothing changes, too.",
  ),
  thermocline_snapshot_age_seconds: now(
    ["place"],
    "Age of the newest snapshot that this controller took (`here`) or pushed (the backend's name).",
  ),
  thermocline_ledger_tail_age_seconds: now(
    ["place"],
    "How long ago all that the ledger had recorded was in files beside the snapshots, here (`here`) or on the backend; what came since would be lost with both.",
  ),
  thermocline_index_objects: now([], "Objects the index knows."),
  thermocline_index_copies: now([], "Copies the index knows."),
  thermocline_index_bytes: now([], "Bytes of all copies the index knows."),
  thermocline_index_lag_seconds: now(
    [],
    "How long results have waited for the controller to write them into the index; 0 when none do.",
  ),
  thermocline_objects: now(["tier", "backend"], "Objects with a copy on the backend."),
  thermocline_stored_bytes: now(["tier", "backend"], "Bytes of the copies on the backend."),
  thermocline_underreplicated_objects: now([], "Objects below their minimum of copies."),
  thermocline_lost_objects: now([], "Objects without an intact copy, by what checks found."),
  thermocline_open_repairs: now([], "Objects with a copy that is lost and not made good yet."),
  thermocline_failing_actions: now([], "Actions that failed and did not succeed since."),
  thermocline_quarantined_actions: now([], "Failing actions that plans leave out."),
  thermocline_policy_suspended: now(["policy"], "1 while too many failures keep it stopped."),
  thermocline_backend_up: now(["backend"], "1 when the backend answers; 0 while its lane waits."),
  thermocline_backend_capacity_bytes: now(["backend"], "Configured capacity, where there is one."),
  thermocline_backend_used_bytes: now(
    ["backend"],
    "Bytes in use as the backend itself says, else as the index knows.",
  ),
  thermocline_runs: now(["state"], "Runs by state."),
  thermocline_remaining_actions: now([], "Actions of runs that have not ended yet."),
  thermocline_plan_actions: now(["policy", "action"], "Actions of the last plan of all policies."),
  thermocline_plan_bytes: now(["policy", "action"], "Bytes of the last plan of all policies."),
  thermocline_plan_cost_usd: now(["policy"], "What the last plan of all policies would cost now."),
  thermocline_settled_cost_usd_total: {
    type: "counter",
    lasts: "index",
    labels: ["policy"],
    help: "What actions that are done have cost, by the price cards.",
  },
  thermocline_reserved_cost_usd: now(["policy"], "What open runs may still cost."),
  thermocline_budget_usd: now(["policy", "period"], "Budget of the policy for a period."),
  thermocline_budget_left_usd: now(
    ["policy", "period"],
    "What is neither settled nor reserved of the budget in this period.",
  ),
  thermocline_blocked_batches: now(["reason"], "Batches held back, by what they wait for."),
  thermocline_batch_wait_seconds: now(
    ["reason"],
    "How long the work that has waited longest for this reason has waited.",
  ),
  thermocline_bandwidth_limit_bytes_per_second: now(
    ["backend", "direction"],
    "Bandwidth that all nodes together may use now; absent without a bound.",
  ),
  thermocline_schedule_next_run_timestamp_seconds: now(
    ["schedule"],
    "When the policy of that name starts next, in seconds since 1970; absent when it does not.",
  ),
  thermocline_schedule_missed_total: {
    type: "counter",
    lasts: "index",
    labels: ["schedule"],
    help: "Starts of the policy of that name that never happened.",
  },
  thermocline_window_open: now(
    ["policy"],
    "1 while the windows of the policy let its actions run, else 0; absent without windows.",
  ),
  thermocline_actions_total: {
    type: "counter",
    lasts: "index",
    labels: ["policy", "action", "backend", "outcome"],
    help: "Actions that ended, by outcome.",
  },
  thermocline_action_duration_seconds: {
    type: "histogram",
    lasts: "process",
    labels: ["action", "backend"],
    help: "Time a worker spent on one action, or on the group of small objects it was in, retries and checks included.",
    buckets: [0.01, 0.05, 0.25, 1, 5, 30, 120, 600, 3_600, 14_400],
  },
  thermocline_transferred_bytes_total: counted(
    ["backend", "direction"],
    "Bytes read, written, and read back to verify; resumed: found there from an earlier try, not sent again.",
  ),
  thermocline_action_retries_total: counted(
    ["action", "backend", "class"],
    "Tries of actions beyond the first, by the class (code) of the error before them.",
  ),
  thermocline_driver_requests_total: counted(
    ["backend", "op", "outcome"],
    "Calls of drivers; outcome is ok or the code of the error.",
  ),
  bullmq_job_count: now(["queue", "state"], "Jobs in the queue store, under BullMQ's own name."),
} as const satisfies Readonly<Record<string, MetricDefinition>>;

export type MetricName = keyof typeof metricDefinitions;

/** Values of exactly the labels of a metric. */
export type LabelsOf<Name extends MetricName> = {
  readonly [Label in (typeof metricDefinitions)[Name]["labels"][number]]: string;
};

type Measured<Type extends MetricDefinition["type"]> = {
  [Name in MetricName]: (typeof metricDefinitions)[Name] extends { type: Type; lasts: "process" }
    ? Name
    : never;
}[MetricName];
export type CounterName = Measured<"counter">;
export type HistogramName = Measured<"histogram">;

/** Where the parts of a process put what they measure. */
export interface Measurements {
  add<Name extends CounterName>(name: Name, labels: LabelsOf<Name>, value?: number): void;
  observe<Name extends HistogramName>(name: Name, labels: LabelsOf<Name>, value: number): void;
}

/** For parts that nobody watches. */
export const noMeasurements: Measurements = { add: () => undefined, observe: () => undefined };

/** One time series as it travels from a node to the controller, and into the text. */
export interface MetricSeries {
  readonly name: MetricName;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number | HistogramValue;
}

export interface HistogramValue {
  /** One count per bucket of the definition, and one for what is above. */
  readonly counts: readonly number[];
  readonly sum: number;
}

function now<const Labels extends readonly string[]>(labels: Labels, help: string) {
  return { type: "gauge", lasts: "now", labels, help } as const;
}

function counted<const Labels extends readonly string[]>(labels: Labels, help: string) {
  return { type: "counter", lasts: "process", labels, help } as const;
}
