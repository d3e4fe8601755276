import { createHash, randomUUID } from "node:crypto";
import { Option } from "@commander-js/extra-typings";
import { accessLogFormats } from "#model/access-log.ts";
import type { AccessImportReport } from "#model/engine-api.ts";
import { defineCommand } from "#cli/command.ts";
import type { CommandIo } from "#cli/command-io.ts";
import { readLogLines } from "#cli/read-log-lines.ts";
import { counted } from "#cli/output/words.ts";

export default defineCommand({
  name: "import-access",
  words: ["import", "access"],
  summary: "count the reads of an access log into the heat of objects",
  examples: [
    "thermocline import access reads.ndjson",
    "thermocline import access /var/log/nginx/access.log --prefix /photos",
    "thermocline import access E2ABC.2026-11-21-05.1a2b3c4d.gz --format cloudfront",
  ],
  setup: (command) =>
    command
      .argument("<file>", "the log, *.gz where it is packed, or - for standard input")
      .addOption(
        new Option("--format <format>", "NDJSON, S3 server access log, CloudFront, nginx or Kubo")
          .choices([...accessLogFormats, "auto"] as const)
          .default("auto" as const),
      )
      .option("--prefix <path>", "what the names in the index have before the paths in the log")
      .option("--batch <id>", "identity of this log; what was counted under it stays counted once"),
  async run(context, [file], options) {
    const { io } = context;
    const batch = options.batch ?? (await batchIdOf(file, io));
    const { api } = await context.connect();
    const lines = readLogLines(file, io, () => {
      context.note("the last line is not written to its end: it is left for the next import");
    });
    const { format, prefix } = options;
    const log = prefix === undefined ? { format } : { format, prefix };
    const report = await api.importAccesses(batch, lines, log);
    for (const example of report.examples) context.note(`malformed: ${example}`);
    if (report.malformed > 0 && report.malformedFile !== undefined) {
      context.note(`malformed lines are kept in ${report.malformedFile}`);
    }
    context.print(describe(report), { batch, report });
    return report.lines > 0 && report.malformed === report.lines ? 1 : 0;
  },
});

function describe(report: AccessImportReport): string {
  const { lines, applied, unknown, ignored, malformed, earlier, repeated } = report;
  const known = repeated
    ? "; this log had been counted before, nothing changed"
    : earlier > 0
      ? `; ${counted(earlier, "line")} before them had been counted`
      : "";
  return (
    `${counted(lines, "line")}: ${counted(applied, "read")} counted, ` +
    `${unknown} of unknown objects, ${ignored} no reads, ${malformed} malformed${known}\n`
  );
}

/**
 * A log is known by its first line that is no header, with its time and address: so it is the
 * same log when it has grown, was renamed by rotation or was packed. What it held when it was
 * counted is compared, so that another log that begins alike is refused and not left out.
 */
async function batchIdOf(file: string, io: CommandIo): Promise<string> {
  if (file === "-") return `stdin-${randomUUID()}`;
  const hash = createHash("sha256");
  for await (const line of readLogLines(file, io)) {
    if (line.trim() === "" || line.startsWith("#")) continue;
    hash.update(line.replace(/\r$/, ""));
    break;
  }
  return `sha256-${hash.digest("hex")}`;
}
