import { Option } from "@commander-js/extra-typings";
import { auditRequest } from "#cli/audit-options.ts";
import { defineCommand } from "#cli/command.ts";
import { auditForm } from "#cli/output/audit-form.ts";
import { rowOutputs, writeRows } from "#cli/output/write-rows.ts";
import { positiveInteger } from "#cli/positive-integer.ts";

const limitDefault = 100;

export default defineCommand({
  name: "audit-ls",
  words: ["audit", "ls"],
  isDefault: true,
  summary: "list what happened and who had it done, the newest last",
  examples: [
    `thermocline audit --where 'kind = "proof" and path like "/datasets/**"' --since 7d`,
    "thermocline audit --where 'not missing(actor)' -o csv",
  ],
  setup: (command) =>
    command
      .option("--where <expression>", "only these, in the language of policies")
      .option("--since <time>", "recorded since then: 2026-11-21, or how long ago: 7d")
      .option("--until <time>", "recorded before then")
      .option("--run <id>", "of one run")
      .option("--object <object>", "about one object: CID, path or number")
      .option("--limit <n>", "the newest so many", positiveInteger, limitDefault)
      .option("--all", "without a limit")
      .addOption(
        new Option("-o, --output <format>", "form of the answer")
          .choices(rowOutputs)
          .default("text" as const),
      ),
  async run(context, _args, { all, limit, output, ...options }) {
    const { api } = await context.connect();
    const bounded = all === true ? options : { ...options, limit };
    const entries = api.audit(auditRequest(bounded, context.io.clock.now()));
    const written = await writeRows(entries, auditForm, output, context.io);
    if (all !== true && written === limit) {
      context.note(`the newest ${limit}; see more with --limit or --all`);
    }
    return context.io.signal.aborted ? 130 : 0;
  },
});
