import { Option } from "@commander-js/extra-typings";
import { defineCommand } from "#cli/command.ts";
import { counted } from "#cli/output/words.ts";
import { streamWithProgress } from "#cli/stream-with-progress.ts";
import { manifestFormats, type ManifestProgress } from "#model/object-manifest.ts";
import { formatDuration, formatSize } from "#model/quantity.ts";

/** Some rows were imported, some were not. */
const partialExitCode = 3;

export default defineCommand({
  name: "import-manifest",
  words: ["import", "manifest"],
  summary: "enter the objects that a CSV, NDJSON or Parquet file names into the index",
  examples: [
    "thermocline import manifest objects.parquet --backend archive",
    "thermocline import manifest list.csv.gz --collection datasets --tag moved --dry-run",
  ],
  setup: (command) =>
    command
      .argument("<file>", "the manifest, on the controller's machine; gzip and zstd are unpacked")
      .addOption(
        new Option("--format <format>", "default: what the file's name or first bytes say").choices(
          [...manifestFormats, "auto"] as const,
        ),
      )
      .option("--backend <name>", "backend that is said to hold a copy, where a row names none")
      .option("--collection <name>", "collection, where a row says none")
      .option("--owner <name>", "owner, where a row says none")
      .option("--tag <tag...>", "tags, beside those of the rows")
      .option("--prefix <path>", "first part of the paths")
      .option("-n, --dry-run", "read everything and say what would be added; write nothing")
      .option("--restart", "begin anew, although an import of this file was interrupted"),
  async run(context, [path], options) {
    const { api } = await context.connect();
    const { format, backend, collection, owner, tag, prefix, dryRun, restart } = options;
    const steps = api.importManifest({
      path,
      ...(format === undefined || format === "auto" ? {} : { format }),
      ...(backend === undefined ? {} : { backend }),
      ...(collection === undefined ? {} : { collection }),
      ...(owner === undefined ? {} : { owner }),
      ...(tag === undefined ? {} : { tags: tag }),
      ...(prefix === undefined ? {} : { prefix }),
      ...(dryRun === true ? { dryRun } : {}),
      ...(restart === true ? { restart } : {}),
    });
    const summary = await streamWithProgress(context, steps, (step) => ({
      what: "import",
      noun: "rows",
      done: step.rows,
      total: step.rowsTotal,
      bytesDone: step.bytes,
      bytesTotal: undefined,
      remark: step.malformed > 0 ? `${step.malformed} malformed` : "",
      fields: { added: step.added, known: step.known, malformed: step.malformed },
    }));
    for (const note of notes(summary)) context.note(note);
    const { type: _type, ...figures } = summary;
    context.print(describe(summary, dryRun === true), { ...figures, dryRun: dryRun === true });
    return summary.malformed + summary.leftOut > 0 ? partialExitCode : 0;
  },
});

function notes(summary: ManifestProgress): readonly string[] {
  const { earlier, ignored, examples, malformed, malformedFile, leftOut } = summary;
  return [
    ...(earlier > 0 ? [`went on behind line ${earlier}, where an import was interrupted`] : []),
    ...(ignored.length > 0 ? [`columns that mean nothing here: ${ignored.join(", ")}`] : []),
    ...examples.map((example) => `malformed: ${example}`),
    ...(malformed > 0 && malformedFile !== undefined
      ? [`malformed rows are kept in ${malformedFile}`]
      : []),
    ...(leftOut > 0
      ? [`${leftOut} rows name copies that are just being deleted: import it again later`]
      : []),
  ];
}

function describe(summary: ManifestProgress, isDryRun: boolean): string {
  const { rows, bytes, added, known, copies, malformed, elapsedMs } = summary;
  return (
    `${isDryRun ? "would import" : "imported"} ${counted(rows, "row")}, ${formatSize(bytes)}: ` +
    `${counted(added, "new object")}, ${known} known, ` +
    `${copies} new ${copies === 1 ? "copy" : "copies"}, ${malformed} malformed, ` +
    `in ${formatDuration(elapsedMs)}\n`
  );
}
