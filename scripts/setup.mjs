// Runs a command of this project after making sure that what the lock file names is installed.
// Plain JavaScript without dependencies: it must start on any Node >= 20, before anything is
// installed; what it starts then runs on the project's own Node from node_modules.
//   node scripts/setup.mjs <file.ts | name of an installed command> [arguments…]
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const modules = join(root, "node_modules");
const stamp = join(modules, ".thermocline-installed");

const wanted = createHash("sha256")
  .update(readFileSync(join(root, "package-lock.json")))
  .digest("hex");
// `npm ci` refuses lock files that lack the optional packages of other platforms, which some
// registries do not carry; an install that saves nothing gives the same locked versions.
if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== wanted) {
  console.error("thermocline: installing the packages that package-lock.json names …");
  const started = Date.now();
  run(
    process.env.npm_execpath?.endsWith(".js")
      ? [process.execPath, process.env.npm_execpath]
      : ["npm"],
    ["install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error"],
  );
  writeFileSync(stamp, wanted);
  console.error(`thermocline: installed in ${Math.round((Date.now() - started) / 1000)} s`);
}

const [command, ...rest] = process.argv.slice(2);
if (command !== undefined) {
  const node = join(modules, ".bin", process.platform === "win32" ? "node.cmd" : "node");
  const isFile = command.endsWith(".ts");
  const file = isFile ? join(root, command) : join(modules, ".bin", command);
  const cwd = command.startsWith("src/cli/") ? typedIn() : root;
  const child = spawn(node, [file, ...rest], { cwd, ...inherited() });
  child.on("error", (error) => cannotStart(node, error));
  // Ctrl-C reaches both: what was started says how it ends, and this waits for it.
  process.on("SIGINT", () => undefined);
  for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("exit", (code) => process.exit(code ?? 1));
}

function run([file, ...first], rest) {
  const result = spawnSync(file, [...first, ...rest], { cwd: root, ...inherited() });
  if (result.error) cannotStart(file, result.error);
  if (result.status !== 0) process.exit(result.status ?? 1);
}

/** Where the command was typed: npm runs its scripts in the checkout, and says where it was. */
function typedIn() {
  const { npm_lifecycle_event: script, INIT_CWD: before } = process.env;
  return (script === "thermocline" ? before : undefined) ?? process.cwd();
}

function inherited() {
  const PATH = join(modules, ".bin") + delimiter + process.env.PATH;
  return { stdio: "inherit", env: { ...process.env, PATH } };
}

function cannotStart(file, error) {
  console.error(`thermocline: cannot start ${file}: ${error.message}`);
  process.exit(70);
}
