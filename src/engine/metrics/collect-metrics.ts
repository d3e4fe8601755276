import type { PolicySpending } from "#engine/metrics/read-spending.ts";
import type { ActionTotal } from "#index/runs/action-totals.ts";
import type { QueueCount } from "#jobs/queue-counts.ts";
import type { EffectiveLimits } from "#model/backend-limits.ts";
import type { BudgetState } from "#model/budget.ts";
import type { Backend } from "#model/backend.ts";
import type { BackendStatus } from "#model/driver.ts";
import type { EngineStatus, EngineTrouble } from "#model/engine-api.ts";
import type { LabelsOf, MetricName, MetricSeries } from "#model/metric.ts";
import type { Plan } from "#model/plan.ts";
import type { ScheduleStatus } from "#model/schedule.ts";
import { type Run, runStates } from "#model/run.ts";
import { type WaitReason, waitReasons } from "#model/wait.ts";

/** The state of the engine at one moment, as far as metrics tell it. */
export interface EngineFacts {
  readonly status: EngineStatus;
  /** Nodes that are told to take no work. */
  readonly pausedNodes: ReadonlySet<string>;
  readonly runs: readonly Run[];
  readonly backends: readonly Backend[];
  readonly health: ReadonlyMap<string, BackendStatus | string>;
  readonly actionTotals: readonly ActionTotal[];
  readonly queueCounts: readonly QueueCount[];
  readonly indexLagSeconds: number;
  /** The last plan of all policies for the present, if one was made since the start. */
  readonly plan: Plan | undefined;
  readonly spending: readonly PolicySpending[];
  readonly budgets: readonly BudgetState[];
  readonly limits: readonly EffectiveLimits[];
  readonly schedules: readonly ScheduleStatus[];
  /** When the newest snapshot was taken that is here, and on backends. */
  readonly snapshots: ReadonlyMap<string, Date>;
  /** Up to when the ledger is whole beside them. */
  readonly tails: ReadonlyMap<string, Date>;
  readonly now: Date;
}

/** The facts as series. */
export function collectMetrics(facts: EngineFacts): readonly MetricSeries[] {
  const { status, queueCounts } = facts;
  return [
    series("thermocline_build_info", { version: status.version }, 1),
    series("thermocline_start_time_seconds", {}, Date.parse(status.startedAt) / 1_000),
    ...nodeSeries(facts),
    ...leaderSeries(facts),
    ...snapshotSeries(facts),
    ...contentSeries(facts),
    ...troubleSeries(status.trouble),
    ...backendSeries(facts),
    ...runSeries(facts),
    ...planSeries(facts.plan),
    ...costSeries(facts),
    ...waitSeries(facts),
    ...facts.limits.flatMap(bandwidthSeries),
    ...facts.schedules.flatMap(scheduleSeries),
    ...queueCounts.map(({ queue, state, jobs }) =>
      series("bullmq_job_count", { queue, state }, jobs),
    ),
  ];
}

const nodeStates = ["working", "paused", "down"] as const;

function nodeSeries({ status, pausedNodes }: EngineFacts): readonly MetricSeries[] {
  return status.nodes.flatMap(({ name: node, roles, architecture: arch, up, clockAheadMs }) => {
    const takesWork = pausedNodes.has(node) ? "paused" : "working";
    const is = up ? takesWork : "down";
    return [
      series("thermocline_node_info", { node, roles: roles.join(","), arch }, 1),
      series("thermocline_node_up", { node }, up ? 1 : 0),
      ...nodeStates.map((state) =>
        series("thermocline_node_state", { node, state }, state === is ? 1 : 0),
      ),
      ...(clockAheadMs === undefined || !up
        ? []
        : [series("thermocline_node_clock_ahead_seconds", { node }, clockAheadMs / 1_000)]),
    ];
  });
}

function leaderSeries({ status: { leader }, now }: EngineFacts): readonly MetricSeries[] {
  if (leader === undefined) return [];
  const { epoch, standbys, published } = leader;
  return [
    series("thermocline_controller_epoch", {}, epoch),
    series("thermocline_controller_standbys", {}, standbys.length),
    ...(published === undefined
      ? []
      : [
          series(
            "thermocline_published_index_age_seconds",
            {},
            (now.getTime() - Date.parse(published.publishedAt)) / 1_000,
          ),
        ]),
  ];
}

function snapshotSeries({ snapshots, tails, now }: EngineFacts): readonly MetricSeries[] {
  const age = (moment: Date) => (now.getTime() - moment.getTime()) / 1_000;
  return [
    ...[...snapshots].map(([place, takenAt]) =>
      series("thermocline_snapshot_age_seconds", { place }, age(takenAt)),
    ),
    ...[...tails].map(([place, asOf]) =>
      series("thermocline_ledger_tail_age_seconds", { place }, age(asOf)),
    ),
  ];
}

function contentSeries({ status, indexLagSeconds }: EngineFacts): readonly MetricSeries[] {
  return [
    series("thermocline_index_objects", {}, status.objects),
    series("thermocline_index_copies", {}, status.copies),
    series("thermocline_index_bytes", {}, status.bytes),
    series("thermocline_index_lag_seconds", {}, indexLagSeconds),
    series("thermocline_underreplicated_objects", {}, status.belowMinimum),
    ...status.backends.flatMap(({ tier, name: backend, copies, bytes }) => [
      series("thermocline_objects", { tier, backend }, copies),
      series("thermocline_stored_bytes", { tier, backend }, bytes),
    ]),
  ];
}

function troubleSeries(trouble: EngineTrouble): readonly MetricSeries[] {
  return [
    series("thermocline_lost_objects", {}, trouble.lost),
    series("thermocline_open_repairs", {}, trouble.repairs),
    series("thermocline_failing_actions", {}, trouble.failing),
    series("thermocline_quarantined_actions", {}, trouble.quarantined),
    ...trouble.suspended.map(({ policy }) => series("thermocline_policy_suspended", { policy }, 1)),
  ];
}

function backendSeries({ backends, health, status }: EngineFacts): readonly MetricSeries[] {
  const out = new Set(
    status.trouble.backends.flatMap(({ backend, state }) => (state === "out" ? [backend] : [])),
  );
  return backends.flatMap(({ name: backend, capacityBytes, usedBytes }) => {
    const answer = health.get(backend);
    if (answer === undefined) return [];
    const used = typeof answer === "string" ? usedBytes : (answer.usedBytes ?? usedBytes);
    return [
      series(
        "thermocline_backend_up",
        { backend },
        typeof answer === "string" || out.has(backend) ? 0 : 1,
      ),
      series("thermocline_backend_used_bytes", { backend }, used),
      ...(capacityBytes === undefined
        ? []
        : [series("thermocline_backend_capacity_bytes", { backend }, capacityBytes)]),
    ];
  });
}

function runSeries({ runs, actionTotals }: EngineFacts): readonly MetricSeries[] {
  const inState = (state: Run["state"]) => runs.filter((run) => run.state === state).length;
  const remaining = runs.reduce((total, run) => total + run.progress.remaining, 0);
  return [
    ...runStates.map((state) => series("thermocline_runs", { state }, inState(state))),
    series("thermocline_remaining_actions", {}, remaining),
    ...actionTotals.map(({ policy, verb: action, backend, outcome, actions }) =>
      series("thermocline_actions_total", { policy, action, backend, outcome }, actions),
    ),
  ];
}

function planSeries(plan: Plan | undefined): readonly MetricSeries[] {
  const groups = plan?.header.totals.groups ?? [];
  const byKind = Map.groupBy(groups, ({ rule, verb }) => `${rule.split("/")[0]}\n${verb}`);
  return [...byKind].flatMap(([kind, members]) => {
    const [policy = "", action = ""] = kind.split("\n");
    const sum = (pick: (group: (typeof groups)[number]) => number) =>
      members.reduce((total, member) => total + pick(member), 0);
    return [
      series(
        "thermocline_plan_actions",
        { policy, action },
        sum(({ actions }) => actions),
      ),
      series(
        "thermocline_plan_bytes",
        { policy, action },
        sum(({ bytes }) => bytes),
      ),
    ];
  });
}

function costSeries({ plan, spending, budgets }: EngineFacts): readonly MetricSeries[] {
  const groups = plan?.header.totals.groups ?? [];
  const byPolicy = new Map<string, number>();
  for (const [at, { now }] of plan?.cost?.groups.entries() ?? []) {
    const policy = groups[at]?.rule.split("/")[0] ?? "";
    byPolicy.set(policy, (byPolicy.get(policy) ?? 0) + Number(now));
  }
  return [
    ...[...byPolicy].map(([policy, usd]) => series("thermocline_plan_cost_usd", { policy }, usd)),
    ...spending.flatMap(({ policy, settledUsd, reservedUsd }) => [
      series("thermocline_settled_cost_usd_total", { policy }, settledUsd),
      series("thermocline_reserved_cost_usd", { policy }, reservedUsd),
    ]),
    ...budgets.flatMap(({ policy = "", per: period, usd, left }) => [
      series("thermocline_budget_usd", { policy, period }, usd),
      series("thermocline_budget_left_usd", { policy, period }, Number(left)),
    ]),
  ];
}

function waitSeries({ status, now }: EngineFacts): readonly MetricSeries[] {
  const byReason = Map.groupBy(status.held, ({ wait }) => wait.reason);
  return (Object.keys(waitReasons) as WaitReason[]).flatMap((reason) => {
    const held = byReason.get(reason) ?? [];
    const batches = held.reduce((total, work) => total + work.batches, 0);
    const since = Math.min(now.getTime(), ...held.map((work) => Date.parse(work.since)));
    return [
      series("thermocline_blocked_batches", { reason }, batches),
      series("thermocline_batch_wait_seconds", { reason }, (now.getTime() - since) / 1_000),
    ];
  });
}

function bandwidthSeries(limits: EffectiveLimits): readonly MetricSeries[] {
  const { backend, uploadBytesPerSecond: upload, downloadBytesPerSecond: download } = limits;
  const bounds = { upload, download };
  return Object.entries(bounds).flatMap(([direction, bound]) =>
    bound === undefined
      ? []
      : [series("thermocline_bandwidth_limit_bytes_per_second", { backend, direction }, bound)],
  );
}

function scheduleSeries(status: ScheduleStatus): readonly MetricSeries[] {
  const { policy, schedule, next, missed, window } = status;
  const labels = { schedule: policy };
  const nextSeconds = Date.parse(next ?? "") / 1_000;
  return [
    ...(next === undefined
      ? []
      : [series("thermocline_schedule_next_run_timestamp_seconds", labels, nextSeconds)]),
    ...(schedule === undefined
      ? []
      : [series("thermocline_schedule_missed_total", labels, missed)]),
    ...(window === undefined
      ? []
      : [series("thermocline_window_open", { policy }, window.open ? 1 : 0)]),
  ];
}

function series<Name extends MetricName>(
  name: Name,
  labels: LabelsOf<Name>,
  value: number,
): MetricSeries {
  return { name, labels, value };
}
