import type { ActiveStep, ControlReport, Pause } from "#model/control.ts";
import { targetWords } from "#model/control.ts";
import { formatSize } from "#model/quantity.ts";
import { textTable } from "#cli/output/text-table.ts";
import { ago, count, counted } from "#cli/output/words.ts";

/** `12,431 actions, 3.1 TiB, in 2 runs`. */
export function workWords({ actions, bytes, runs }: ControlReport["work"]): string {
  return `${counted(actions, "action")}, ${formatSize(bytes)}, in ${counted(runs, "run")}`;
}

/** Standing pauses as a table. */
export function formatPauses(pauses: readonly Pause[], now: Date): string {
  if (pauses.length === 0) return "nothing is paused\n";
  return textTable(
    [
      { title: "paused" },
      { title: "since" },
      { title: "until" },
      { title: "by" },
      { title: "why" },
    ],
    pauses.map((pause) => [
      targetWords(pause),
      ago(pause.since, now),
      pause.until ?? "resumed",
      pause.actor,
      pause.reason,
    ]),
  );
}

/** What workers hold, as a table. */
export function formatInFlight(steps: readonly ActiveStep[], now: Date): string {
  if (steps.length === 0) return "nothing is in flight\n";
  return textTable(
    [
      { title: "in flight" },
      { title: "batch", right: true },
      { title: "lane" },
      { title: "step" },
      { title: "node" },
      { title: "since" },
      { title: "done", right: true },
      { title: "moved", right: true },
    ],
    steps.map((step) => [
      step.runId,
      String(step.batch),
      step.lane,
      step.step,
      `${step.node ?? ""}${step.lost ? " (gone)" : ""}`,
      ago(step.since, now),
      `${count(step.done)} of ${count(step.total)}`,
      step.bytes === 0 ? "" : formatSize(step.bytes),
    ]),
  );
}
