import { type CommandContext, defineCommand } from "#cli/command.ts";
import { confirm } from "#cli/confirm.ts";
import { formatActions } from "#cli/output/format-actions.ts";
import { formatApprovals } from "#cli/output/format-approvals.ts";
import { formatRun } from "#cli/output/format-run.ts";
import type { Approval, Verdict } from "#model/approval.ts";
import type { EngineApi } from "#model/engine-api.ts";
import { EngineError } from "#model/engine-error.ts";

/** Actions shown before somebody approves. */
const shownActions = 10;

const summaries: Readonly<Record<Verdict, string>> = {
  approve: "agree to a plan that waits; its run begins with the last approval",
  reject: "refuse a plan that waits; nothing of it runs",
};

/** The commands `approve` and `reject`. */
export function decideCommand(verdict: Verdict) {
  return defineCommand({
    name: verdict,
    summary: summaries[verdict],
    examples: [`thermocline ${verdict} run-7 --reason "agreed with storage-ops"`],
    setup: (command) =>
      command
        .argument("<plan>", "run id, plan CID or change digest, see `thermocline approvals`")
        .requiredOption("--reason <text>", "why; it is kept in the ledger")
        .option("--allow-subset", "approve what still fits of it")
        .option("-y, --yes", "do not ask"),
    async run(context, [plan], { reason, allowSubset, yes }) {
      const connection = await context.connect();
      const { api } = connection;
      const approval = await awaiting(api, plan);
      await show(context, api, approval);
      if (yes !== true && !(await confirm(context.io, `\n${verdict}? (only "yes" does) `))) {
        throw new EngineError("DECLINED", "nothing was decided");
      }
      const run = await api.decideApproval({
        plan: approval.runId,
        verdict,
        reason,
        expectDigest: approval.changeDigest,
        ...(allowSubset === true ? { allowSubset } : {}),
      });
      context.print(() => formatRun(run, context.io.clock.now()), { run });
      if (run.state === "running" && connection.where === "process") {
        context.note(`no controller runs: go on with thermocline resume ${run.id}`);
      }
    },
  });
}

async function awaiting(api: EngineApi, plan: string): Promise<Approval> {
  const named = (await api.approvals()).filter(({ runId, planCid, changeDigest }) =>
    [runId, planCid, changeDigest].some((name) => name.startsWith(plan)),
  );
  const open = named.filter(({ state }) => state === "awaiting");
  const [only] = open;
  if (only !== undefined && open.length === 1) return only;
  const known = named[0] === undefined ? "" : `: that of ${named[0].runId} is ${named[0].state}`;
  const count = open.length === 0 ? "no plan waits" : `${open.length} plans wait`;
  throw new EngineError("NOT_FOUND", `${count} for approval as "${plan}"${known}`, {
    hint: "`thermocline approvals` lists what waits",
  });
}

/** Nobody agrees to what they have not seen. */
async function show(context: CommandContext, api: EngineApi, approval: Approval): Promise<void> {
  const { stderr, clock } = context.io;
  const actions = await api.planActions(approval.planCid, 0, shownActions);
  stderr.write(formatApprovals([approval], clock.now()));
  stderr.write(`\n${formatActions(actions, await api.backends())}`);
  const more = approval.actions - actions.length;
  if (more > 0) stderr.write(`and ${more} more of plan ${approval.planCid}\n`);
  stderr.write(`change ${approval.changeDigest}\n`);
}
