import { formatDuration, formatSize } from "#model/quantity.ts";
import type { Run } from "#model/run.ts";
import type { WaitingWork } from "#model/why.ts";
import { waitingWords } from "#cli/output/format-why.ts";
import { textPairs, textTable } from "#cli/output/text-table.ts";
import { ago, count, counted } from "#cli/output/words.ts";

/** One run for people: state, counts, why things failed, and what it waits for when that is known. */
export function formatRun(run: Run, now: Date, waiting: readonly WaitingWork[] = []): string {
  const { progress } = run;
  const ended = run.endedAt === undefined ? now.getTime() : Date.parse(run.endedAt);
  const took = formatDuration(Math.max(0, ended - Date.parse(run.createdAt)));
  const outcomes = [
    `${count(progress.done)} done`,
    `${count(progress.skipped)} skipped`,
    `${count(progress.failed)} failed`,
    `${count(progress.cancelled)} cancelled`,
    `${count(progress.remaining)} remaining`,
  ];
  const pairs = textPairs([
    ["run", run.id],
    ["plan", run.planCid],
    ["state", `${run.state}, ${run.endedAt === undefined ? "for" : "after"} ${took}`],
    ["actions", `${count(progress.actions)}: ${outcomes.join(", ")}`],
    ["bytes", `${formatSize(progress.bytesDone)} of ${formatSize(progress.bytes)}`],
  ]);
  const waits = waitingWords(waiting).map((words) => `  ${words}\n`);
  const causes = progress.causes.map(
    ({ code, count: times, example }) => `  ${code} (${counted(times, "action")}): ${example}\n`,
  );
  const parts = [
    pairs,
    ...(progress.skipped === 0 ? [] : [whySkipped(run)]),
    ...(waits.length === 0 ? [] : ["waits for\n", ...waits]),
    ...(causes.length === 0 ? [] : ["failures\n", ...causes, moreOf(run)]),
  ];
  return parts.join("");
}

function whySkipped({ id }: Run): string {
  return `  why skipped: thermocline audit --run ${id} --where 'outcome = "skipped"'\n`;
}

function moreOf({ id }: Run): string {
  return `  what to do about them: thermocline failures --run ${id}\n`;
}

/** Runs as a table, the newest first. */
export function formatRuns(runs: readonly Run[], now: Date): string {
  if (runs.length === 0) return "no run yet: `thermocline apply` starts one\n";
  return textTable(
    [
      { title: "run" },
      { title: "state" },
      { title: "started" },
      { title: "actions", right: true },
      { title: "done", right: true },
      { title: "failed", right: true },
      { title: "bytes", right: true },
    ],
    runs.map(({ id, state, createdAt, progress }) => [
      id,
      state,
      ago(createdAt, now),
      count(progress.actions),
      count(progress.done),
      count(progress.failed),
      formatSize(progress.bytesDone),
    ]),
  );
}
