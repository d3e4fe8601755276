// Runs benchmarks by name: what each thing costs here, what it costs on the other side or may
// cost, and the ratio.
//   npm run bench -- [name…] [--objects N[,N…]] [--rounds N] [--json]
// `goals` runs all that measure one of the project's goals, and prints one table of these.
import { availableParallelism, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { EngineError } from "#model/engine-error.ts";
import { benchmarkNames, findBenchmark } from "./runner/find-benchmarks.ts";
import { formatGoals, formatGrowth, formatSizeReport } from "./runner/format-report.ts";
import { goalBenchmarks, type MeasuredGoal, measuredGoals } from "./runner/goals.ts";
import { growthOf } from "./runner/growth-of.ts";
import type { SizeReport } from "./runner/measure-size.ts";
import { readNumber, readObjectCounts } from "./runner/read-number.ts";
import { runSize } from "./runner/run-size.ts";

const allGoals = "goals";
const stop = new AbortController();
for (const [signal, number] of [
  ["SIGINT", 2],
  ["SIGTERM", 15],
  ["SIGHUP", 1],
] as const) {
  process.once(signal, () => {
    process.exitCode = 128 + number;
    stop.abort(new EngineError("CANCELLED", `ended by ${signal}`));
  });
}
try {
  await runBenchmarks();
} catch (error) {
  const { message, hint, exitCode } = EngineError.from(error);
  process.stderr.write(`error: ${message}\n${hint === undefined ? "" : `hint: ${hint}\n`}`);
  process.exitCode ??= exitCode;
}

async function runBenchmarks(): Promise<void> {
  const { names, objects, rounds, json } = readCommandLine();
  if (names.length === 0) {
    await list(json);
    return;
  }
  if (names.includes(allGoals)) {
    await runGoals({ names, objects, rounds, json });
    return;
  }
  // Before anything long begins, all names are known to be right.
  for (const name of names) await findBenchmark(name);
  const benchmarks = [];
  for (const name of names) {
    const sizes: SizeReport[] = [];
    for (const size of objects) {
      const report = await runSize({ name, objects: size, rounds, signal: stop.signal });
      sizes.push(report);
      if (!json) process.stdout.write(`${formatSizeReport(name, report)}\n`);
    }
    if (!json && sizes.length > 1) process.stdout.write(`${formatGrowth(sizes)}\n`);
    benchmarks.push({ name, sizes, growth: growthOf(sizes) });
  }
  if (json) print({ schemaVersion: 1, machine: machine(), benchmarks });
}

/** Size by size, as the table of one is worth more than half of each. */
async function runGoals({ names, objects, rounds, json }: Wanted): Promise<void> {
  if (names.length > 1) {
    throw new EngineError(
      "USAGE",
      `${allGoals} stands alone: it runs ${goalBenchmarks.join(", ")}`,
    );
  }
  const sizes = [];
  for (const size of objects) {
    const measured: MeasuredGoal[] = [];
    for (const name of goalBenchmarks) {
      const report = await runSize({ name, objects: size, rounds, signal: stop.signal });
      process.stderr.write(`${name} is done\n`);
      measured.push(...measuredGoals(name, report));
    }
    sizes.push({ objects: size, goals: measured });
    if (!json) process.stdout.write(`${formatGoals(size, measured)}\n`);
  }
  if (json) print({ schemaVersion: 1, machine: machine(), goals: sizes });
}

async function list(json: boolean): Promise<void> {
  const all = await Promise.all((await benchmarkNames()).map(findBenchmark));
  const known = all.map(({ name, about }) => ({ name, about }));
  if (json) print({ schemaVersion: 1, benchmarks: known });
  else {
    for (const { name, about } of known) console.log(`${name.padEnd(10)}${about}`);
    console.log(`${allGoals.padEnd(10)}what of these the project has goals for, in one table`);
  }
}

type Wanted = ReturnType<typeof readCommandLine>;

function readCommandLine() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        objects: { type: "string", default: "1e5" },
        rounds: { type: "string" },
        json: { type: "boolean", default: false },
      },
    });
    const { objects, rounds, json } = values;
    return {
      names: positionals,
      objects: readObjectCounts(objects),
      rounds: rounds === undefined ? undefined : readNumber("--rounds", rounds),
      json,
    };
  } catch (error) {
    throw EngineError.from(error, "USAGE");
  }
}

/** What figures depend on besides the program. */
function machine() {
  const [load = 0] = loadavg();
  return {
    processors: availableParallelism(),
    load,
    platform: process.platform,
    architecture: process.arch,
    node: process.version,
  };
}

function print(document: unknown): void {
  process.stdout.write(`${JSON.stringify(document, undefined, 2)}\n`);
}
