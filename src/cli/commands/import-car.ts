import { noteKeptFacts } from "#cli/note-kept-facts.ts";
import { join, resolve } from "node:path";
import { defineCommand } from "#cli/command.ts";
import { counted } from "#cli/output/words.ts";
import { streamWithProgress } from "#cli/stream-with-progress.ts";
import type { ImportedRoot } from "#engine/callers/import-objects-car.ts";
import type { Work } from "#engine/callers/work-steps.ts";
import { formatSize } from "#model/quantity.ts";

export default defineCommand({
  name: "import-car",
  summary: "store what a CAR file holds: each of its roots becomes an object",
  examples: [
    "thermocline import-car handover.car --to hot",
    "ipfs dag export bafybeih | thermocline import-car - --name /site",
  ],
  setup: (command) =>
    command
      .argument("<file>", "a CARv1 or CARv2 on this machine, or - for standard input")
      .option("--to <backend>", "default: the warmest one that takes writes")
      .option("--name <path>", "name of its objects in the index")
      .option("--collection <name>", "collection of the objects")
      .option("--owner <name>", "owner of the objects")
      .option("--tag <tag...>", "tags of the objects")
      .option("-n, --dry-run", "check that it is whole, store nothing"),
  async run(context, [file], { to, name, collection, owner, tag, dryRun }) {
    const { importObjectsCar } = await import("#engine/callers/import-objects-car.ts");
    const { spoolStream, temporaryFolder } = await import("#engine/callers/spool-stream.ts");
    const { workSteps } = await import("#engine/callers/work-steps.ts");
    const api = dryRun === true ? undefined : (await context.connect()).api;
    await using folder = file === "-" ? await temporaryFolder() : undefined;
    const { io } = context;
    const path = folder === undefined ? resolve(io.cwd, file) : join(folder.path, "car");
    const facts = {
      ...(to === undefined ? {} : { backend: to }),
      ...(collection === undefined ? {} : { collection }),
      ...(owner === undefined ? {} : { owner }),
      ...(tag === undefined ? {} : { tags: tag }),
    };
    const names = name === undefined ? [] : [name];
    const steps = workSteps(async (work: Work) => {
      const bytesMax = Number.POSITIVE_INFINITY;
      if (folder !== undefined) await spoolStream(io.stdin, path, { work, bytesMax });
      return await importObjectsCar({ file: path, names, facts, api }, work);
    });
    const { result: roots = [] } = await streamWithProgress(context, steps, (step) => ({
      what: "import",
      noun: "objects",
      done: step.done,
      total: undefined,
      bytesDone: step.bytes,
      bytesTotal: undefined,
    }));
    context.print(() => roots.map(describe).join(""), {
      objects: roots.map(({ stored, ...root }) => ({ ...root, ...stored })),
    });
    for (const { cid, stored } of roots) noteKeptFacts(context, cid, stored);
  },
});

function describe({ cid, size, blocks, profile, stored }: ImportedRoot): string {
  const made = profile === undefined ? "" : `, profile ${profile}`;
  const what = `${cid}  ${formatSize(size)}, ${counted(blocks, "block")}${made}`;
  if (stored === undefined) return `${what}, whole\n`;
  const { backend, moved, confidence } = stored;
  return `${what}  ${moved ? "stored on" : "was already on"} ${backend}, ${confidence}\n`;
}
