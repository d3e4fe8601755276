import { defineCommand } from "#cli/command.ts";
import { count, counted } from "#cli/output/words.ts";
import { streamWithProgress } from "#cli/stream-with-progress.ts";
import { formatDuration, formatSize } from "#model/quantity.ts";

const findingsExitCode = 1;
/** Some copies could not be checked, as when their backend does not answer. */
const partialExitCode = 3;
const detailedExitCode = 2;

export default defineCommand({
  name: "verify",
  summary: "re-hash copies at their backends and record what is found",
  examples: ["thermocline verify --backend cold", `thermocline verify --where 'tags has "gold"'`],
  setup: (command) =>
    command
      .option("--backend <name>", "only the copies there")
      .option("--where <expression>", "only these objects, in the language of policies")
      .option("-n, --dry-run", "say how many copies that are, and check none")
      .option("--detailed-exitcode", "exit with 2, not 1, when something is absent or corrupt"),
  async run(context, _args, { backend, where, dryRun, detailedExitcode }) {
    const { api } = await context.connect();
    const request = {
      ...(backend === undefined ? {} : { backend }),
      ...(where === undefined ? {} : { where }),
    };
    const [match] = await Array.fromAsync(api.verify({ ...request, dryRun: true }));
    const { total = 0, bytes: size = 0 } = match ?? {};
    context.io.stderr.write(`${counted(total, "copy")}, ${formatSize(size)}, match\n`);
    if (dryRun === true) return context.print("", { copies: total, bytes: size });
    const steps = api.verify(request);
    const summary = await streamWithProgress(context, steps, (step) => ({
      what: "verify",
      noun: "copies",
      done: step.copies,
      total: step.total,
      bytesDone: step.bytes,
      bytesTotal: undefined,
      remark:
        step.absent + step.corrupt > 0 ? `${step.absent} absent, ${step.corrupt} corrupt` : "",
      fields: { verified: step.verified, absent: step.absent, corrupt: step.corrupt },
    }));
    const { copies, bytes, verified, absent, corrupt, elapsedMs } = summary;
    const unchecked = copies - verified - absent - corrupt;
    context.print(
      `${counted(copies, "copy")}, ${formatSize(bytes)}: ${verified} verified, ${absent} absent, ` +
        `${corrupt} corrupt${unchecked === 0 ? "" : `, ${count(unchecked)} not checked`}, ` +
        `in ${formatDuration(elapsedMs)}\n`,
      { copies, bytes, verified, absent, corrupt, unchecked, elapsedMs },
    );
    if (absent + corrupt === 0) return unchecked === 0 ? 0 : partialExitCode;
    context.note("`thermocline repairs` shows what is made good, `thermocline plan` what can be");
    return detailedExitcode === true ? detailedExitCode : findingsExitCode;
  },
});
