import type { Backend } from "#model/backend.ts";
import { formatSize } from "#model/quantity.ts";
import type { UndoReport } from "#model/undo.ts";
import { formatActions } from "#cli/output/format-actions.ts";
import { formatPlan } from "#cli/output/format-plan.ts";
import { count, counted } from "#cli/output/words.ts";

/** What can be undone of a run, and what cannot, for people. */
export function formatUndo(
  report: UndoReport,
  backends: readonly Pick<Backend, "id" | "name">[],
): string {
  const { removed, made, back, gone, marked, plan, sample } = report;
  const lines = [
    `run ${report.run} removed ${counted(removed.copies, "copy")}, ${formatSize(removed.bytes)}`,
  ];
  if (back > 0) lines.push(`${count(back)} of them are there again, or on their way`);
  for (const { backend, copies } of gone) {
    lines.push(
      `${count(copies)} of them were on backend ${backend}, which is not configured any more`,
    );
  }
  if (made.copies > 0) {
    lines.push(`what it made stays: ${count(made.copies)} copies, ${formatSize(made.bytes)}`);
  }
  if (marked > 0) {
    lines.push(`it marked ${counted(marked, "object")} for deletion: a read or a hold lifts that`);
  }
  if (plan.header.totals.actions === 0 && plan.header.blocked.length === 0) {
    return `${lines.join("\n")}\n\nnothing to make again\n`;
  }
  const policies = "the policies may want the same again: change them first, or hold the objects";
  const shown = sample.length === 0 ? "" : `\n${formatActions(sample, backends)}`;
  return `${lines.join("\n")}\n\n${formatPlan(plan)}${shown}\n${policies}\n`;
}
