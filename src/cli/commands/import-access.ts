import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { EngineError } from "#model/engine-error.ts";
import { defineCommand } from "#cli/command.ts";
import type { CommandIo } from "#cli/command-io.ts";
import { counted } from "#cli/output/words.ts";

export default defineCommand({
  name: "import-access",
  words: ["import", "access"],
  summary: "count the reads of an access log (NDJSON) into the heat of objects",
  examples: ["thermocline import access yesterday.ndjson"],
  setup: (command) =>
    command
      .argument("<file>", "the log, or - for standard input")
      .option("--batch <id>", "identity of this log; one that was counted is not counted again"),
  async run(context, [file], options) {
    const { api } = await context.connect();
    const { io } = context;
    const batch = options.batch ?? (await batchIdOf(file, io));
    const report = await api.importAccesses(batch, linesOf(file, io));
    for (const example of report.examples) context.note(`malformed: ${example}`);
    const repeated = report.repeated ? "; this log had been counted before, nothing changed" : "";
    context.print(
      `${counted(report.lines, "line")}: ${counted(report.applied, "read")} counted, ` +
        `${report.unknown} of unknown objects, ${report.malformed} malformed${repeated}\n`,
      { batch, report },
    );
    return report.lines > 0 && report.malformed === report.lines ? 1 : 0;
  },
});

/** A log is known by its content, so that importing it twice counts it once. */
async function batchIdOf(file: string, io: CommandIo): Promise<string> {
  if (file === "-") return `stdin-${randomUUID()}`;
  const hash = createHash("sha256");
  await pipeline(open(file, io), hash).catch((cause: unknown) => {
    throw unreadable(file, cause);
  });
  return `sha256-${hash.digest("hex")}`;
}

async function* linesOf(file: string, io: CommandIo): AsyncIterable<string> {
  const input = file === "-" ? Readable.from(io.stdin) : open(file, io);
  yield* createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
}

function open(file: string, io: CommandIo): Readable {
  return createReadStream(resolve(io.cwd, file));
}

function unreadable(file: string, cause: unknown): EngineError {
  return new EngineError("UNREADABLE", `the access log ${file} cannot be read`, {
    cause,
    hint: "check that the file exists and that this user may read it",
  });
}
