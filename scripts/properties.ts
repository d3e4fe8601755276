// The property tests on cases that nobody tried before: a new seed, and more cases for those of
// the planner. The seed is printed; with it a failure comes again.
//   npm run properties -- [--in test/policies/plan] [--runs 300] [--seed S]
import { spawn } from "node:child_process";
import { once } from "node:events";
import { glob, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { refuse, scriptOptions } from "./script-options.ts";

const usage = "properties [--in FOLDER] [--runs N] [--seed S]";
const values = scriptOptions(usage, {
  in: { type: "string", default: "test" },
  runs: { type: "string", default: "300" },
  seed: { type: "string" },
});
const runs = Number(values.runs);
const seed = values.seed === undefined ? Date.now() % 1_000_000_000 : Number(values.seed);
if (!Number.isSafeInteger(runs) || runs < 1 || !Number.isSafeInteger(seed)) refuse(usage);

const cwd = fileURLToPath(new URL("..", import.meta.url));
const files: string[] = [];
for await (const file of glob(`${values.in.replace(/\/$/, "")}/**/*.test.ts`, { cwd })) {
  if ((await readFile(`${cwd}${file}`, "utf8")).includes('from "fast-check"')) files.push(file);
}
if (files.length === 0) {
  console.error(`error: no test below ${values.in} states a property`);
  process.exit(64);
}
console.error(`${files.length} files, up to ${runs} cases for each property, seed ${seed}`);
const vitest = fileURLToPath(new URL("../node_modules/vitest/vitest.mjs", import.meta.url));
// As many cases as are asked for take as long as they take.
const limit = "--test-timeout=3600000";
const child = spawn(process.execPath, [vitest, "run", limit, ...files.toSorted()], {
  cwd,
  stdio: "inherit",
  env: { ...process.env, PROPERTY_SEED: String(seed), PROPERTY_RUNS: String(runs) },
});
const [code] = (await once(child, "exit")) as [number | null];
process.exitCode = code ?? 70;
