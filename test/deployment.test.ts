import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Stage } from "./dockerfile-steps.ts";
import { dockerfileStages } from "./dockerfile-steps.ts";

const run = promisify(execFile);
const root = fileURLToPath(new URL("..", import.meta.url));
let folder = "";
let stages: readonly Stage[] = [];

/** Runs every stage of the image in a folder of its own, as far as that goes without Docker. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "thermocline-image-"));
  stages = dockerfileStages(await readFile(join(root, "workers/Dockerfile"), "utf8"));
  for (const [number, stage] of stages.entries()) await buildStage(stage, stageFolder(number));
}, 240_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

test("the image has what it needs to print its version and nothing of development", async () => {
  const final = stageFolder(stages.length - 1);
  const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as {
    version: string;
  };
  const command = join(final, "usr/local/bin/thermocline");
  const { stdout } = await run(process.execPath, [command, "--version"], { cwd: final });
  expect(stdout.trim()).toBe(version);
  const modules = join(final, "app/node_modules");
  await expect(run("ls", [join(modules, "vitest")])).rejects.toThrow("No such file");
  await expect(run("ls", [join(final, "app/src")])).rejects.toThrow("No such file");
});

test("the image's health check says no, and why, where no controller answers", async () => {
  const final = stageFolder(stages.length - 1);
  const [check] = stages.at(-1)?.steps.filter((step) => step.instruction === "HEALTHCHECK") ?? [];
  const script = /\["node", "\/(app\/[^"]+)"\]/.exec(check?.text ?? "")?.[1] ?? "none";
  const env = { ...process.env, THERMOCLINE_API_URL: "http://127.0.0.1:9" };
  const failure = await run(process.execPath, [join(final, script)], { env }).catch(
    (error: unknown) => error,
  );
  expect(failure).toMatchObject({
    code: 1,
    stdout: expect.stringContaining("no controller answers at http://127.0.0.1:9"),
  });
});

test("the image runs as an ordinary user, from the project's own Node version", () => {
  const final = stages.at(-1);
  const last = (instruction: string) =>
    final?.steps.findLast((step) => step.instruction === instruction)?.text;
  expect(last("USER")).toBe("node");
  expect(last("ENTRYPOINT")).toBe('["thermocline"]');
  expect(new Set(stages.map((stage) => stage.image))).toEqual(new Set(["node:24-bookworm-slim"]));
});

async function buildStage(stage: Stage, stageRoot: string): Promise<void> {
  let cwd = stageRoot;
  await mkdir(join(stageRoot, "usr/local/bin"), { recursive: true });
  for (const { instruction, text, words } of stage.steps) {
    if (instruction === "WORKDIR") {
      cwd = join(stageRoot, words[0] ?? "");
      await mkdir(cwd, { recursive: true });
    } else if (instruction === "COPY") {
      await copy(words, cwd);
    } else if (instruction === "RUN") {
      await run("sh", ["-euc", text.replaceAll(imagePaths, `${stageRoot}$1`)], {
        cwd,
        env: await buildEnvironment(),
      });
    }
  }
}

/** Absolute paths of the image in a command, at the start of a word. */
const imagePaths = /(?<=\s|^)(\/(?:app|data|stores|usr\/local\/bin)\b)/g;

async function copy(words: readonly string[], cwd: string): Promise<void> {
  const from = words.find((word) => word.startsWith("--from="))?.slice("--from=".length);
  const paths = words.filter((word) => !word.startsWith("--"));
  const target = paths.pop() ?? "";
  const number = stages.findIndex((stage) => stage.name === from);
  for (const path of paths) {
    const source = from === undefined ? join(root, path) : join(stageFolder(number), path);
    if (from === undefined) await expectInContext(path);
    const whole = from !== undefined || ["src", "workers"].includes(path);
    const place = whole ? join(cwd, target) : join(cwd, target, basename(path));
    await mkdir(dirname(place), { recursive: true });
    await cp(source, place, { recursive: true, verbatimSymlinks: true });
  }
}

/** What .dockerignore leaves out of the context would be missing in a real build. */
async function expectInContext(path: string): Promise<void> {
  const ignored = (await readFile(join(root, ".dockerignore"), "utf8")).split("\n");
  expect(ignored[0]).toBe("*");
  const allowed = ignored.filter((line) => line.startsWith("!")).map((line) => line.slice(1));
  const matches = (pattern: string) =>
    pattern.endsWith("*") ? path.startsWith(pattern.slice(0, -1)) : path === pattern;
  expect({ path, inContext: allowed.some(matches) }).toEqual({ path, inContext: true });
}

/** This Node comes first; `chown` to the image's user is left out, as that user is not here. */
async function buildEnvironment(): Promise<NodeJS.ProcessEnv> {
  const shims = join(folder, "shims");
  await mkdir(shims, { recursive: true });
  await writeFile(join(shims, "chown"), "#!/bin/sh\nexit 0\n", { mode: 0o755 });
  await symlink(process.execPath, join(shims, "node")).catch(() => {});
  return {
    ...process.env,
    NODE_ENV: "production",
    npm_config_prefer_offline: "true",
    PATH: shims + delimiter + process.env["PATH"],
  };
}

function stageFolder(number: number): string {
  return join(folder, `stage-${number}`);
}
