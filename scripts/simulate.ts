// Runs schedules of the simulation and says which promises were broken, with the way to replay.
//   npm run simulate -- --schedules N [--seed S] [--json] [--real] [--theme name] [--without a,b] [--trace]
import { type FaultKind, faultKinds } from "../test/simulation/faults.ts";
import { runSchedule, type ScheduleOptions } from "../test/simulation/run-schedule.ts";
import { type ThemeName, themeNames } from "../test/simulation/themes.ts";
import { shrink } from "../test/simulation/shrink.ts";
import { refuse, scriptOptions } from "./script-options.ts";

const usage =
  "simulate --schedules N [--seed S] [--theme NAME] [--without FAULT,…] [--real] [--json] [--trace]";
const values = scriptOptions(usage, {
  theme: { type: "string" },
  schedules: { type: "string", default: "1000" },
  seed: { type: "string" },
  without: { type: "string", default: "" },
  json: { type: "boolean", default: false },
  real: { type: "boolean", default: false },
  trace: { type: "boolean", default: false },
});
const schedules = Number(values.schedules);
const seed = Number(values.seed ?? Math.floor(Math.random() * 1e9));
const chosen =
  values.theme === undefined ? undefined : themeNames.find((name) => name === values.theme);
const asked = values.without.split(",").filter((kind) => kind !== "");
const without = new Set(asked.filter((kind): kind is FaultKind => Object.hasOwn(faultKinds, kind)));
const isOdd = (values.theme !== undefined && chosen === undefined) || without.size < asked.length;
if (!Number.isSafeInteger(schedules) || schedules < 1 || !Number.isSafeInteger(seed) || isOdd) {
  console.error(`themes: ${themeNames.join(", ")}; faults: ${Object.keys(faultKinds).join(", ")}`);
  refuse(usage);
}
const index = values.real ? "real" : "model";
const began = performance.now();
const faults = new Map<FaultKind, number>();
const violations: { readonly seed: number; readonly violations: readonly string[] }[] = [];
let removals = 0;
let events = 0;
for (let at = seed; at < seed + schedules; at += 1) {
  const theme = chosen ?? themeOf(at);
  const options: ScheduleOptions = { seed: at, theme, without, index, trace: values.trace };
  const result = await runSchedule(options);
  removals += result.removals;
  events += result.events;
  for (const [kind, count] of result.faults) faults.set(kind, (faults.get(kind) ?? 0) + count);
  if (values.trace && !values.json) console.log(result.trace.join("\n"));
  if (result.violations.length === 0) continue;
  violations.push({ seed: at, violations: result.violations });
  if (!values.json) await tell(options);
}
const seconds = (performance.now() - began) / 1_000;
const perMinute = Math.round((schedules / seconds) * 60);
const report = { seed, schedules, index, events, removals, perMinute, violations };
if (values.json) console.log(JSON.stringify({ ...report, faults: Object.fromEntries(faults) }));
else {
  for (const [kind, count] of [...faults].toSorted(([a], [b]) => a.localeCompare(b))) {
    console.log(`${String(count).padStart(9)}  ${kind}: ${faultKinds[kind]}`);
  }
  console.log(
    `${schedules} schedules from seed ${seed} on the ${index} index: ${removals} removals, ` +
      `${events} events, ${violations.length} with broken promises, ${perMinute} a minute`,
  );
}
if (violations.length > 0) process.exitCode = 1;

/** Half of the schedules draw from everything, the others have a theme. */
function themeOf(seed: number): ThemeName {
  return (seed % 2 === 0 ? undefined : themeNames[(seed >> 1) % themeNames.length]) ?? "everything";
}

/** The smallest set of faults that still breaks something, its trace, and how to see it again. */
async function tell(options: ScheduleOptions): Promise<void> {
  const traced = { ...options, trace: true };
  const smaller = await shrink(traced, await runSchedule(traced));
  const spared = smaller.without.length > 0 ? ` --without ${smaller.without.join(",")}` : "";
  const real = values.real ? " --real" : "";
  console.log(smaller.result.trace.join("\n"));
  for (const broken of smaller.result.violations) console.log(`seed ${options.seed}: ${broken}`);
  const again = `--schedules 1 --seed ${options.seed} --theme ${options.theme}${spared}${real} --trace`;
  console.log(`replay: npm run simulate -- ${again}`);
}
