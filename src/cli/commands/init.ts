import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { EngineError } from "#model/engine-error.ts";
import { defineCommand } from "#cli/command.ts";
import { initialConfig, initialPolicy, initialTest } from "#cli/initial-files.ts";

export default defineCommand({
  name: "init",
  summary: "write a commented configuration, a first policy and a test of it",
  examples: ["thermocline init", "thermocline init lake"],
  setup: (command) => command.argument("[directory]", "where to write them", "."),
  async run(context, [directory]) {
    const { cwd } = context.io;
    const root = resolve(cwd, directory);
    const files: readonly [path: string, text: string][] = [
      [join(root, "thermocline.yaml"), initialConfig],
      [join(root, "policies", "first.thermocline.yaml"), initialPolicy],
      [join(root, "tests", "first.thermocline-test.yaml"), initialTest],
    ];
    const written: string[] = [];
    for (const [path, text] of files) {
      await writeNew(path, text, written);
      written.push(relative(cwd, path));
    }
    context.print(
      () => `${written.map((file) => `wrote ${file}\n`).join("")}${nextSteps(relative(cwd, root))}`,
      {
        written,
      },
    );
  },
});

/** What to type next, where it was written elsewhere from there. */
function nextSteps(folder: string): string {
  return `next:
${folder === "" ? "" : `  cd ${folder}\n`}  thermocline doctor                              is everything here that is needed?
  thermocline import dir FOLDER --backend hot     bring content in
  thermocline test                                does the policy do what its tests expect?
  thermocline plan                                what would the policy do?
`;
}

/** Never replaces a file, not even one that appeared a moment ago. */
async function writeNew(path: string, text: string, written: readonly string[]): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text, { flag: "wx" });
  } catch (cause) {
    const before = written.length === 0 ? "" : ` (already written: ${written.join(", ")})`;
    if (cause instanceof Error && "code" in cause && cause.code === "EEXIST") {
      throw new EngineError("ALREADY_EXISTS", `${path} exists and is not replaced${before}`, {
        cause,
        hint: "remove it, or name another directory: thermocline init DIRECTORY",
      });
    }
    throw new EngineError("UNREADABLE", `${path} cannot be written${before}`, {
      cause,
      hint: "check the permissions of the directory and its free space",
    });
  }
}
