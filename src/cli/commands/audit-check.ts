import { auditChecks, type AuditReport } from "#model/audit.ts";
import { defineCommand } from "#cli/command.ts";

export default defineCommand({
  name: "audit-check",
  words: ["audit", "check"],
  summary: "check that every action has one outcome and every removal its proof",
  examples: ["thermocline audit check"],
  setup: (command) => command,
  async run(context) {
    const { api } = await context.connect();
    const report = await api.checkAudit();
    const ok = report.findings.length === 0;
    context.print(() => formatReport(report), { ok, ...report });
    return ok ? 0 : 1;
  },
});

function formatReport(report: AuditReport): string {
  const { outcomes, findings } = report;
  const ended = Object.entries(outcomes).map(([outcome, count]) => `${count} ${outcome}`);
  const lines = [
    `${report.runs} runs, ${report.actions} actions: ${ended.join(", ")}`,
    `${report.permits} permits, ${report.proofs} proofs, ${report.settlements} settled by asking`,
    `${report.entries} entries in the ledger`,
    ...findings.flatMap(({ check, count, examples }) => [
      `FAILED ${check}: ${auditChecks[check]} (${count})`,
      ...examples.map((example) => `       ${example}`),
      ...(count > examples.length ? [`       … and ${count - examples.length} more`] : []),
    ]),
    ...(findings.length === 0 ? ["ok: nothing contradicts anything"] : []),
  ];
  return `${lines.join("\n")}\n`;
}
