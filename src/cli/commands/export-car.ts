import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { defineCommand } from "#cli/command.ts";
import { counted } from "#cli/output/words.ts";
import { streamWithProgress } from "#cli/stream-with-progress.ts";
import { wholeNumber } from "#cli/whole-number.ts";
import { writeFileOut } from "#cli/write-file-out.ts";
import type { EngineApi } from "#model/engine-api.ts";
import { EngineError } from "#model/engine-error.ts";
import { formatSize } from "#model/quantity.ts";

export default defineCommand({
  name: "export-car",
  summary: "write objects as one CAR file that IPFS tools read",
  examples: [
    "thermocline export-car /photos/2024 -o photos.car",
    `thermocline export-car --where 'tags has "handover"' -o handover.car`,
    "thermocline export-car /site --selector docs/manual -o manual.car",
  ],
  setup: (command) =>
    command
      .argument("[object...]", "CIDs, paths or object numbers: the roots, in this order")
      .option("--where <expression>", "objects that satisfy it, in the language of policies")
      .requiredOption("-o, --output <file>", "the CAR, or - for standard output")
      .option("--selector <path>", "what lies there in each object, in its place")
      .option("--depth <n>", "only so many steps down from the roots: 0 is the roots", wholeNumber)
      .option("--from <backend>", "read copies of this backend only")
      .option("--force", "replace a file that is there"),
  async run(context, [objects], { where, output, selector, depth, from, force }) {
    if ((objects.length === 0) === (where === undefined)) {
      throw new EngineError("USAGE", "give objects or --where, one of them");
    }
    if (force !== true && output !== "-" && existsSync(resolve(context.io.cwd, output))) {
      throw new EngineError("ALREADY_EXISTS", `${output} is there already`, {
        hint: "replace it with --force, or name another place",
      });
    }
    const { api } = await context.connect();
    const { exportObjectsCar } = await import("#engine/callers/export-objects-car.ts");
    const { workSteps } = await import("#engine/callers/work-steps.ts");
    const { temporaryFolder } = await import("#engine/callers/spool-stream.ts");
    await using folder = output === "-" ? await temporaryFolder() : undefined;
    const place = folder === undefined ? resolve(context.io.cwd, output) : join(folder.path, "car");
    const references = where === undefined ? listed(objects) : selected(api, where);
    const request = { references, output: place, from, path: selector, depth };
    const steps = workSteps((work) => exportObjectsCar(api, request, work));
    const { result } = await streamWithProgress(context, steps, (step) => ({
      what: "export",
      noun: "objects",
      done: step.done,
      total: where === undefined ? objects.length : undefined,
      bytesDone: step.bytes,
      bytesTotal: undefined,
    }));
    if (result === undefined) throw new EngineError("INTERNAL", "nothing was said of the CAR");
    if (folder !== undefined) return await writeFileOut(result.file, context.io);
    const partial = depth === undefined ? "" : `, not deeper than ${counted(depth, "step")}`;
    context.print(
      `${result.roots.join("\n")}\n` +
        `${formatSize(result.carBytes)}${partial}, in ${result.file}\n`,
      { ...result, whole: depth === undefined },
    );
  },
});

async function* listed(objects: readonly string[]): AsyncGenerator<string> {
  yield* await Promise.resolve(objects);
}

async function* selected(api: EngineApi, where: string): AsyncGenerator<string> {
  for await (const piece of api.objects({ where })) yield* piece.map(({ cid }) => cid);
}
