// Two runs at a time that try to remove the last two copies of the same objects, as often as
// one likes: every object must keep one. How the races ended is printed.
//   npm run races -- --races 10000 [--seed S]
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { refuse, scriptOptions } from "./script-options.ts";

const usage = "races [--races N] [--seed S]";
const values = scriptOptions(usage, {
  races: { type: "string", default: "10000" },
  seed: { type: "string" },
});
const races = Number(values.races);
const seed = values.seed === undefined ? Date.now() % 1_000_000 : Number(values.seed);
if (!Number.isSafeInteger(races) || races < 1 || !Number.isSafeInteger(seed)) {
  refuse(usage);
}
console.error(`${races} races, seed ${seed}`);
const vitest = fileURLToPath(new URL("../node_modules/vitest/vitest.mjs", import.meta.url));
const child = spawn(process.execPath, [vitest, "run", "test/jobs/removal-races.test.ts"], {
  cwd: fileURLToPath(new URL("..", import.meta.url)),
  stdio: "inherit",
  env: {
    ...process.env,
    THERMOCLINE_TEST_RACES: String(races),
    THERMOCLINE_TEST_SEED: String(seed),
  },
});
const [code] = (await once(child, "exit")) as [number | null];
process.exitCode = code ?? 70;
