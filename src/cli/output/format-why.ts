import { formatSize } from "#model/quantity.ts";
import type { WaitingWork, WhyReport } from "#model/why.ts";
import { formatInFlight } from "#cli/output/format-control.ts";
import { printable } from "#cli/output/text-table.ts";
import { ago, counted } from "#cli/output/words.ts";

/** Why something stands where it stands, as lines. */
export function formatWhy(report: WhyReport, now: Date): string {
  const { subject, waiting, active, actions, facts, looked } = report;
  const lines = [
    subject,
    ...waiting.flatMap((each) => waitingLines(each, now)),
    ...actions.map(
      ({ runId, verb, rule, source, target, victim, state, message }) =>
        `  ${runId} ${verb} ${movement(source, target, victim)} (${rule}): ${state}` +
        (message === "" ? "" : `, ${message}`),
    ),
    ...facts.map((fact) => `  ${fact}`),
  ];
  const text = lines.map((line) => `${printable(line)}\n`).join("");
  const hands = active.length === 0 ? "" : formatInFlight(active, now);
  return `${text}${hands}looked at: ${looked.join(", ")}\n`;
}

/** What work waits for, and what would end that, each once. */
export function waitingWords(waiting: readonly WaitingWork[]): readonly string[] {
  const words = waiting.map(({ wait: { message, remedy } }) =>
    printable(remedy === undefined ? message : `${message}; to end it: ${remedy}`),
  );
  return [...new Set(words)];
}

/** One line that says why work waits. */
function waitingLine({ work, wait, actions, bytes }: WaitingWork): string {
  const until = wait.until === undefined ? "" : ` (until ${wait.until})`;
  return (
    `${counted(actions, "action")}, ${formatSize(bytes)}, on the lane ${work.lane} wait: ` +
    `${wait.reason}: ${wait.message}${until}`
  );
}

function waitingLines(waiting: WaitingWork, now: Date): readonly string[] {
  const { work, wait, since } = waiting;
  const begun = since === undefined ? "" : `, since ${ago(since, now)}`;
  return [
    `  ${waitingLine(waiting)}`,
    `    ${work.verb} ${movement(work.source, work.target, work.victim)} for ${work.policy}${begun}`,
    ...(wait.remedy === undefined ? [] : [`    to end it: ${wait.remedy}`]),
  ];
}

function movement(source: string | null, target: string | null, victim: string | null): string {
  if (target === null && victim === null) return source === null ? "" : `on ${source}`;
  if (target === null) return `from ${victim}`;
  return `${source ?? "?"} → ${target}`;
}
