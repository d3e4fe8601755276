import { type Approval, openTerms, termsText } from "#model/approval.ts";
import { formatSize } from "#model/quantity.ts";
import { textTable } from "#cli/output/text-table.ts";
import { ago, count } from "#cli/output/words.ts";

/** Plans that wait, or waited, for approval, the newest first. */
export function formatApprovals(approvals: readonly Approval[], now: Date): string {
  if (approvals.length === 0) return "no plan waits for approval\n";
  return textTable(
    [
      { title: "run" },
      { title: "state" },
      { title: "asked" },
      { title: "by" },
      { title: "actions", right: true },
      { title: "bytes", right: true },
      { title: "for" },
    ],
    approvals.map((approval) => [
      approval.runId,
      approval.state,
      ago(approval.requestedAt, now),
      approval.author,
      count(approval.actions),
      formatSize(approval.bytes),
      standing(approval),
    ]),
  );
}

/** What an approval is missing, or how it ended. */
function standing(approval: Approval): string {
  if (approval.state === "awaiting") {
    return `needs ${termsText(openTerms(approval))}, until ${approval.expiresAt}`;
  }
  const [last] = approval.decisions.slice(-1);
  const by = last === undefined ? "" : `by ${last.by}: ${last.reason}`;
  return by === "" ? approval.reason : by;
}
