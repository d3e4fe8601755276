import { join, resolve } from "node:path";
import { defineCommand } from "#cli/command.ts";
import { streamWithProgress } from "#cli/stream-with-progress.ts";
import { writeFileOut } from "#cli/write-file-out.ts";
import { EngineError } from "#model/engine-error.ts";
import { formatSize } from "#model/quantity.ts";

export default defineCommand({
  name: "objects-get",
  words: ["objects", "get"],
  summary: "write an object to this machine, verified, from its best copy",
  examples: [
    "thermocline objects get /photos/cat.jpg -o cat.jpg",
    "thermocline objects get bafkreif --from archive -o - | tar t",
  ],
  setup: (command) =>
    command
      .argument("<object>", "CID, path or object number")
      .option("-o, --output <path>", "a new file or folder, a folder to put it into, or -", ".")
      .option("--from <backend>", "read this copy and no other")
      .option("--force", "replace a file that is there"),
  async run(context, [reference], { output, from, force }) {
    const { api } = await context.connect();
    const { getObject } = await import("#engine/callers/get-object.ts");
    const { workSteps } = await import("#engine/callers/work-steps.ts");
    const { temporaryFolder } = await import("#engine/callers/spool-stream.ts");
    // Nothing unverified is sent through a pipe: it goes by way of a file.
    await using folder = output === "-" ? await temporaryFolder() : undefined;
    const place = folder === undefined ? resolve(context.io.cwd, output) : join(folder.path, "got");
    const isFolder = /[/\\]$/.test(output) ? "/" : "";
    const request = { reference, output: place + isFolder, from, force: force === true };
    const steps = workSteps((work) => getObject(api, request, work));
    const { result: got } = await streamWithProgress(context, steps, (step) => ({
      what: "get",
      noun: "files",
      done: step.done,
      total: undefined,
      bytesDone: step.bytes,
      bytesTotal: step.bytesTotal,
    }));
    if (got === undefined) throw new EngineError("INTERNAL", "nothing was said of what was got");
    if (folder === undefined) {
      const what = got.kind === "directory" ? "a directory" : "a file";
      context.print(`${got.cid}\n${what}, ${formatSize(got.size)}, in ${got.path}\n`, { ...got });
    } else if (got.kind === "directory") {
      throw new EngineError("USAGE", "a directory cannot be written to standard output", {
        hint: "name a folder with -o, or use `thermocline export-car -o -`",
      });
    } else await writeFileOut(got.path, context.io);
  },
});
