import { defineCommand } from "#cli/command.ts";
import { counted } from "#cli/output/words.ts";
import { streamWithProgress } from "#cli/stream-with-progress.ts";
import { formatDuration, formatSize } from "#model/quantity.ts";

/** Some files were imported, some were not. */
const partialExitCode = 3;

export default defineCommand({
  name: "import-dir",
  words: ["import", "dir"],
  summary: "store a directory on a backend and enter its files into the index",
  examples: ["thermocline import dir ./photos --backend hot --collection photos --tag family"],
  setup: (command) =>
    command
      .argument("<directory>", "the directory; links are not followed")
      .requiredOption("--backend <name>", "backend that gets the bytes")
      .option("--collection <name>", "collection of the objects")
      .option("--owner <name>", "owner of the objects")
      .option("--tag <tag...>", "tags of the objects")
      .option("--prefix <path>", "first part of their paths (default: /<name of the directory>)")
      .option("-n, --dry-run", "read and hash everything, store nothing"),
  async run(context, [path], options) {
    const { api } = await context.connect();
    const { backend, collection, owner, tag, prefix, dryRun } = options;
    const steps = api.importDirectory({
      path,
      backend,
      ...(collection === undefined ? {} : { collection }),
      ...(owner === undefined ? {} : { owner }),
      ...(tag === undefined ? {} : { tags: tag }),
      ...(prefix === undefined ? {} : { prefix }),
      ...(dryRun === true ? { dryRun } : {}),
    });
    const summary = await streamWithProgress(context, steps, (step) => ({
      what: "import",
      noun: "files",
      done: step.files,
      total: step.filesTotal,
      bytesDone: step.bytes,
      bytesTotal: undefined,
      remark: step.problems > 0 ? counted(step.problems, "problem") : "",
      fields: { added: step.added, known: step.known, problems: step.problems },
    }));
    const { files, bytes, added, known, problems, elapsedMs } = summary;
    context.print(
      `${dryRun === true ? "would import" : "imported"} ${counted(files, "file")}, ` +
        `${formatSize(bytes)}: ${counted(added, "new object")}, ${known} known, ` +
        `${counted(problems, "problem")}, in ${formatDuration(elapsedMs)}\n`,
      { files, bytes, added, known, problems, elapsedMs, dryRun: dryRun === true },
    );
    if (known > 0 && (collection ?? owner) !== undefined) {
      context.note("what was known keeps the collection and the owner that it had, if any");
    }
    return problems > 0 ? partialExitCode : 0;
  },
});
