import type { EngineStatus } from "#model/engine-api.ts";
import type { Run } from "#model/run.ts";
import { runStates } from "#model/run.ts";

/** The state of the engine in the Prometheus text format (version 0.0.4). */
export function formatMetrics(status: EngineStatus, runs: readonly Run[]): string {
  return metricsOf(status, runs)
    .map(({ name, type, help, samples }) =>
      [
        `# HELP ${name} ${help}`,
        `# TYPE ${name} ${type}`,
        ...samples.map(([labels, value]) => `${name}${formatLabels(labels)} ${value}`),
      ].join("\n"),
    )
    .join("\n")
    .concat("\n");
}

interface Metric {
  readonly name: string;
  readonly type: "gauge" | "counter";
  readonly help: string;
  readonly samples: readonly Sample[];
}

type Sample = readonly [labels: Readonly<Record<string, string>>, value: number];

function metricsOf(status: EngineStatus, runs: readonly Run[]): readonly Metric[] {
  return [
    gauge("thermocline_build_info", "Always 1; the labels say what runs.", [
      [{ version: status.version }, 1],
    ]),
    gauge("thermocline_start_time_seconds", "When the controller started, in seconds since 1970.", [
      [{}, Date.parse(status.startedAt) / 1_000],
    ]),
    ...contentMetrics(status),
    ...nodeMetrics(status),
    ...runMetrics(runs),
  ];
}

function contentMetrics(status: EngineStatus): readonly Metric[] {
  const perBackend = (pick: (backend: EngineStatus["backends"][number]) => number) =>
    status.backends.map((backend): Sample => {
      return [{ tier: backend.tier, backend: backend.name }, pick(backend)];
    });
  return [
    gauge("thermocline_index_objects", "Objects the index knows.", [[{}, status.objects]]),
    gauge("thermocline_index_copies", "Copies the index knows.", [[{}, status.copies]]),
    gauge("thermocline_index_bytes", "Content bytes of all objects, each counted once.", [
      [{}, status.bytes],
    ]),
    gauge("thermocline_objects", "Objects with a copy on the backend.", [
      ...perBackend(({ copies }) => copies),
    ]),
    gauge("thermocline_stored_bytes", "Bytes of the copies on the backend.", [
      ...perBackend(({ bytes }) => bytes),
    ]),
    gauge("thermocline_underreplicated_objects", "Objects below their minimum of copies.", [
      [{}, status.belowMinimum],
    ]),
  ];
}

function nodeMetrics(status: EngineStatus): readonly Metric[] {
  return [
    gauge(
      "thermocline_node_info",
      "Always 1; the labels say what each node is.",
      status.nodes.map(({ name, roles, architecture }) => {
        return [{ node: name, roles: roles.join(","), arch: architecture }, 1];
      }),
    ),
    gauge(
      "thermocline_node_up",
      "1 while the node reports itself.",
      status.nodes.map(({ name, up }) => [{ node: name }, up ? 1 : 0]),
    ),
  ];
}

function runMetrics(runs: readonly Run[]): readonly Metric[] {
  const sum = (pick: (run: Run) => number) => runs.reduce((total, run) => total + pick(run), 0);
  const outcomes = ["done", "skipped", "failed", "cancelled"] as const;
  return [
    gauge(
      "thermocline_runs",
      "Runs by state.",
      runStates.map((state) => [{ state }, sum((run) => (run.state === state ? 1 : 0))]),
    ),
    {
      name: "thermocline_actions_total",
      type: "counter",
      help: "Actions of all runs that ended, by outcome.",
      samples: outcomes.map((outcome) => [{ outcome }, sum((run) => run.progress[outcome])]),
    },
    gauge("thermocline_remaining_actions", "Actions of runs that have not ended yet.", [
      [{}, sum((run) => run.progress.remaining)],
    ]),
  ];
}

function gauge(name: string, help: string, samples: readonly Sample[]): Metric {
  return { name, type: "gauge", help, samples };
}

function formatLabels(labels: Readonly<Record<string, string>>): string {
  const parts = Object.entries(labels).map(([name, value]) => {
    const escaped = value
      .replaceAll("\\", String.raw`\\`)
      .replaceAll('"', String.raw`\"`)
      .replaceAll("\n", String.raw`\n`);
    return `${name}="${escaped}"`;
  });
  return parts.length === 0 ? "" : `{${parts.join(",")}}`;
}
