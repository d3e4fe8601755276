// Real processes at work while everything around them fails, and then the bookkeeping: nothing
// lost, nothing removed without proof, nothing stuck.
//   npm run chaos -- --minutes 2 [--seed 7] [--queue redis|postgres|embedded|both] [--json] [--report FILE] [--keep]
import { writeFile } from "node:fs/promises";
import { EngineError } from "#model/engine-error.ts";
import { type ChaosReport, formatReport } from "./chaos/chaos-report.ts";
import { type QueueKind, queueKinds } from "./chaos/queue-place.ts";
import { runChaos } from "./chaos/run-chaos.ts";
import { refuse, scriptOptions } from "./script-options.ts";

const usage =
  "chaos --minutes N [--seed S] [--queue redis|postgres|embedded|both] [--json] [--report FILE] [--keep]";
const values = scriptOptions(usage, {
  minutes: { type: "string", default: "2" },
  seed: { type: "string" },
  queue: { type: "string", default: "redis" },
  json: { type: "boolean", default: false },
  report: { type: "string" },
  keep: { type: "boolean", default: false },
});
const minutes = Number(values.minutes);
const seed = values.seed === undefined ? Date.now() % 1_000_000 : Number(values.seed);
const queues = queuesOf(values.queue);
if (!(minutes > 0) || !Number.isSafeInteger(seed) || queues === undefined) {
  refuse(usage);
}

// An interrupt ends the nodes too: `exit` listeners run.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.once(signal, () => process.exit(130));
}

const reports: ChaosReport[] = [];
const failures: string[] = [];
for (const queue of queues) {
  console.error(`chaos on ${queue} for ${minutes} min, seed ${seed}`);
  try {
    const report = await runChaos({ queue, minutes, seed, keep: values.keep, progress: say });
    reports.push(report);
    if (!values.json) console.log(formatReport(report));
  } catch (thrown) {
    const { message } = EngineError.from(thrown);
    failures.push(`${queue}: ${message}`);
    console.error(message);
  }
}
const document = JSON.stringify({ schemaVersion: 1, reports, failures }, undefined, 2);
if (values.json) console.log(document);
if (values.report !== undefined) await writeFile(values.report, `${document}\n`);
const isWell = reports.every((report) => report.violations.length === 0);
// Said outright: a connection to a queue store that is gone by now would go on trying.
process.exit(isWell && failures.length === 0 ? 0 : 1);

function say(line: string): void {
  console.error(line);
}

/** `both`: the two kinds of server that production uses. */
function queuesOf(word: string): readonly QueueKind[] | undefined {
  if (word === "both") return ["redis", "postgres"];
  const kind = queueKinds.find((candidate) => candidate === word);
  return kind && [kind];
}
