import { connectAsOf, fromOption, snapshotOption } from "#cli/as-of.ts";
import { defineCommand } from "#cli/command.ts";
import { formatPlan } from "#cli/output/format-plan.ts";
import { costLimit, limitsOf, objectsLimit, sizeOption } from "#cli/plan-limit-options.ts";
import { variableOption, variablesOf } from "#cli/variable-option.ts";
import { positiveInteger } from "#cli/positive-integer.ts";
import { type BackendName, formatActions } from "#cli/output/format-actions.ts";
import type { AsOf } from "#model/index-snapshot.ts";
import type { ReadingApi } from "#model/snapshot-api.ts";

/** Differences are exit code 2, but only where somebody asked for it. */
const changesExitCode = 2;
const refusedExitCode = 6;

export default defineCommand({
  name: "plan",
  summary: "say what the policies would do now; changes nothing",
  examples: [
    "thermocline plan --out monday",
    "thermocline plan --at 2026-12-01T00:00:00Z",
    "thermocline plan --var idle_limit=60d",
    "thermocline plan --snapshot newest --from archive",
  ],
  setup: (command) =>
    command
      .argument("[policies...]", "policy files or directories (default: the configured ones)")
      .option("--out <file>", "keep the plan: writes FILE.plan.json and FILE.plan.parquet")
      .option("--at <time>", "evaluate as if it were this time (ISO 8601)")
      .option("--only <what>", "look only at these objects: an expression, a CID or a path")
      .option("--limit-objects <n>", "act on so many objects at most: 1000, 100k, 5%", objectsLimit)
      .option("--limit-bytes <size>", "act on so many bytes at most: 5TiB", sizeOption)
      .option(
        "--limit-cost <usd>",
        "pay so much at most, by the price cards: 50, 50/month",
        costLimit,
      )
      .addOption(variableOption())
      .addOption(snapshotOption())
      .addOption(fromOption())
      .option("--actions <n>", "also list the first N actions", positiveInteger)
      .option("--detailed-exitcode", "exit with 2 when there is something to do"),
  async run(context, [policies], options) {
    const { snapshot, from } = options;
    const { api, asOf } = await connectAsOf(context, { snapshot, from });
    const report = await api.plan({
      ...asOf,
      ...(policies.length === 0 ? {} : { policies }),
      ...(options.at === undefined ? {} : { at: options.at }),
      ...(options.out === undefined ? {} : { out: options.out }),
      ...limitsOf(options),
      ...variablesOf(options),
      ...(options.only === undefined ? {} : { only: options.only }),
    });
    const { plan, elapsedMs, sample } = report;
    const listed = sample.slice(0, Math.max(0, options.actions ?? 0));
    const backends = listed.length === 0 ? [] : await backendNames(api, asOf);
    context.print(
      () =>
        `${formatPlan(plan)}${listed.length === 0 ? "" : `\n${formatActions(listed, backends)}`}`,
      { plan, elapsedMs, sample },
    );
    if (options.out !== undefined) {
      const base = options.out.replace(/\.plan(?:\.json)?$/, "");
      context.note(
        `kept as ${base}.plan.json; run it with: thermocline apply --plan ${base}.plan.json`,
      );
    }
    if (plan.header.totals.actions === 0 || options.detailedExitcode !== true) return 0;
    return plan.header.guards.every(({ passed }) => passed) ? changesExitCode : refusedExitCode;
  },
});

async function backendNames(api: ReadingApi, asOf: AsOf): Promise<readonly BackendName[]> {
  const names: BackendName[] = [];
  const question = "SELECT backend_id AS id, name FROM backend";
  for await (const { rows } of api.query(question, asOf)) {
    names.push(...rows.map(({ id, name }) => ({ id: Number(id), name: String(name) })));
  }
  return names;
}
