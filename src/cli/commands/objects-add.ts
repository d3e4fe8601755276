import { defineCommand } from "#cli/command.ts";
import { noteKeptFacts } from "#cli/note-kept-facts.ts";
import { sizeOption } from "#cli/plan-limit-options.ts";
import { streamWithProgress } from "#cli/stream-with-progress.ts";
import { counted } from "#cli/output/words.ts";
import type { AddedContent } from "#engine/callers/add-contents.ts";
import { formatSize } from "#model/quantity.ts";

/** Some sources were added, some were not. */
const partialExitCode = 3;
const sizeDefault = "64GiB";

export default defineCommand({
  name: "objects-add",
  words: ["objects", "add"],
  summary: "store files, directories or URLs on a backend as objects",
  examples: [
    "thermocline objects add report.pdf --to hot --tag family",
    "thermocline objects add ./site --name /site --dry-run",
    "thermocline objects add https://example.org/data.tar --collection datasets",
    "tar c ./src | thermocline objects add - --name /src.tar",
  ],
  setup: (command) =>
    command
      .argument("<source...>", "a file, a directory (one object), an http(s) URL, or - for a pipe")
      .option("--to <backend>", "default: the warmest one that takes writes")
      .option("--name <path>", "its name in the index; default: what the source is called")
      .option("--collection <name>", "collection of the objects")
      .option("--owner <name>", "owner of the objects")
      .option("--tag <tag...>", "tags of the objects")
      .option("--meta <key=value...>", "tags that policies read as meta.<key>")
      .option("--profile <name>", "parameters of UnixFS that decide the CID", "unixfs-v1-2025")
      .option("--wrap", "put a file into a directory of its own, under its name")
      .option("--max-size <size>", `refuse larger streams (default ${sizeDefault})`, sizeOption)
      .option("-n, --dry-run", "print the CIDs, store nothing"),
  async run(context, [sources], options) {
    const {
      maxSize = sizeOption(sizeDefault),
      to,
      name,
      collection,
      owner,
      tag = [],
      meta = [],
      profile,
      wrap,
      dryRun,
    } = options;
    const { addContents } = await import("#engine/callers/add-contents.ts");
    const { workSteps } = await import("#engine/callers/work-steps.ts");
    const { refuseWrongSources, tagsOf } = await import("#engine/callers/add-rules.ts");
    refuseWrongSources(sources, name);
    const tags = tagsOf(tag, meta);
    const api = dryRun === true ? undefined : (await context.connect()).api;
    const facts = {
      ...(to === undefined ? {} : { backend: to }),
      ...(collection === undefined ? {} : { collection }),
      ...(owner === undefined ? {} : { owner }),
      ...(tags.length === 0 ? {} : { tags }),
    };
    const { cwd, stdin } = context.io;
    const request = { sources, cwd, stdin, profile, bytesMax: maxSize, facts, api };
    const named = { ...request, wrap: wrap === true, ...(name === undefined ? {} : { name }) };
    const steps = workSteps((work) => addContents(named, work));
    const { result } = await streamWithProgress(context, steps, (step) => ({
      what: "add",
      noun: "files",
      done: step.done,
      total: undefined,
      bytesDone: step.bytes,
      bytesTotal: step.bytesTotal,
    }));
    const { added = [], failed = [] } = result ?? {};
    const [first] = failed;
    if (added.length === 0 && first !== undefined && failed.length === 1) throw first.error;
    context.print(() => added.map(describe).join(""), {
      objects: added.map(({ stored, ...content }) => ({ ...content, ...stored })),
      failed: failed.map(({ source, error }) => ({
        source,
        code: error.code,
        message: error.message,
        ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
      })),
    });
    for (const { source, stored } of added) noteKeptFacts(context, source, stored);
    for (const { source, leftOut } of added.filter((one) => one.leftOut.length > 0)) {
      const some = leftOut.slice(0, 3).join(", ");
      const what = counted(leftOut.length, "special file");
      context.note(
        `${source}: ${what} (links, devices) left out: ${some}${leftOut.length > 3 ? ", …" : ""}`,
      );
    }
    for (const { source, error } of failed) {
      const hint = error.hint === undefined ? "" : `: ${error.hint}`;
      context.io.stderr.write(`problem: ${source}: ${error.message}${hint}\n`);
    }
    return failed.length === 0 ? 0 : partialExitCode;
  },
});

function describe({ cid, size, name, source, stored }: AddedContent): string {
  const what = `${cid}  ${formatSize(size)}  ${name ?? source}`;
  if (stored === undefined) return `${what}\n`;
  const { backend, moved, confidence } = stored;
  return `${what}  ${moved ? "stored on" : "was already on"} ${backend}, ${confidence}\n`;
}
