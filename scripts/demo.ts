// The whole loop on this machine with nothing installed: import a real tree, heat, policies,
// plan, apply with a worker killed in the middle, and a report that can be checked.
import { existsSync } from "node:fs";
import type { ChildProcess } from "node:child_process";
import { chmod, cp, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { setTimeout as delay } from "node:timers/promises";
import { writeAccessLog } from "./demo/access-log.ts";
import { output, startNode, stopNode, thermocline } from "./thermocline-process.ts";

/** The embedded queue is made first: seconds, but for a machine that is busy with other things. */
const answerWithinMs = 180_000;

const root = fileURLToPath(new URL("..", import.meta.url));
const keep = process.argv.includes("--keep");
const started = Date.now();
const workspace = await mkdtemp(join(tmpdir(), "thermocline-demo-"));
// The embedded PostgreSQL refuses to run as root: then it runs as a user who must get here.
await chmod(workspace, 0o755);
const log = join(workspace, "nodes.log");

say(`A workspace with three backends and the example policies: ${workspace}`);
await mkdir(join(workspace, "policies"));
await cp(join(root, "examples/policies"), join(workspace, "policies"), { recursive: true });
await cp(join(root, "examples/demo/thermocline.yaml"), join(workspace, "thermocline.yaml"));

const nodes: ChildProcess[] = [];
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void abandon());

try {
  say("A controller with its embedded queue, and two workers, as processes of their own");
  const controller = start("controller");
  await answering(controller);
  const worker = start("worker", "--node-name", "worker-1");
  start("worker", "--node-name", "worker-2");
  await tell(worker);
  console.log(
    `\nThe demo took ${Math.round((Date.now() - started) / 1000)} s. ` +
      (keep ? `The workspace stays: ${workspace}` : "Its workspace is removed (--keep keeps it)."),
  );
} finally {
  for (const node of nodes.toReversed()) await stopNode(node);
  if (!keep) await rm(workspace, { recursive: true, force: true });
}

function start(...args: string[]): ChildProcess {
  const node = startNode(workspace, log, ...args);
  nodes.push(node);
  return node;
}

/** Interrupted: nothing that was started goes on, and nothing of it stays. */
async function abandon(): Promise<never> {
  await Promise.all(nodes.map((node) => stopNode(node, 10_000)));
  if (!keep) await rm(workspace, { recursive: true, force: true });
  process.exit(130);
}

async function tell(worker: ChildProcess): Promise<void> {
  say("Importing a tree nobody here wrote: the installed dependencies of this project");
  await thermocline(workspace, "import", "dir", join(root, "node_modules"), "--backend", "hot");

  const { objects } = await json<{ objects: { path?: string }[] }>(
    "objects",
    "ls",
    "--limit",
    "1000000",
  );
  const paths = objects.flatMap((object) => object.path ?? []);
  const file = join(workspace, "access.ndjson");
  const lines = await writeAccessLog(file, paths, new Date());
  say(
    `An access log of the last 90 days for these files: ${lines} reads, some files hot, most cold`,
  );
  await thermocline(workspace, "import", "access", file);

  say("The policies are checked, and show what they would do");
  await thermocline(workspace, "validate");
  await thermocline(workspace, "plan");

  say("Applying; one of the two workers is killed in the middle (kill -9)");
  const killing = killInTheMiddle(worker);
  await thermocline(workspace, "apply", "--yes", "--override", "objects");
  await killing;

  say("Where things stand");
  await thermocline(workspace, "status");
  say("Why is this one where it is?");
  await thermocline(workspace, "explain", "/node_modules/typescript/package.json");
  await report();
}

async function killInTheMiddle(worker: ChildProcess): Promise<void> {
  for (;;) {
    await delay(1_000);
    const { runs } = await json<{ runs: DemoRun[] }>("runs");
    const [run] = runs;
    if (run === undefined) continue;
    const { actions, remaining } = run.progress;
    if (run.state !== "running") {
      console.error("(the run ended before a worker could be killed)");
      return;
    }
    if (remaining > actions * 0.9) continue;
    const ended = once(worker, "exit");
    worker.kill("SIGKILL");
    await ended;
    console.error(
      `*** worker-1 killed (kill -9) with ${remaining} of ${actions} actions to go ***`,
    );
    return;
  }
}

interface DemoRun {
  readonly state: string;
  readonly progress: Readonly<Record<"actions" | "remaining" | "bytesDone" | "done", number>>;
}

interface DemoStatus {
  readonly objects: number;
  readonly copies: number;
  readonly belowMinimum: number;
}

async function report(): Promise<void> {
  say("Every copy is read back and hashed again");
  await thermocline(workspace, "verify");
  const { status } = await json<{ status: DemoStatus }>("status");
  const { runs } = await json<{ runs: DemoRun[] }>("runs");
  const moved = runs.reduce((sum, run) => sum + run.progress.bytesDone, 0);
  const { rows } = await json<{ rows: { n: number }[] }>(
    "index",
    "query",
    "SELECT count(*) AS n FROM copy WHERE state = 'present' AND confidence = 'verified'",
  );
  console.log(`
Report
  objects        ${status.objects.toLocaleString("en")}
  copies         ${status.copies.toLocaleString("en")}
  verified       ${Number(rows[0]?.n).toLocaleString("en")} copies
  bytes moved    ${(moved / 2 ** 20).toFixed(0)} MiB
  ${status.belowMinimum} objects below their minimum`);
  if (status.belowMinimum > 0) process.exitCode = 1;
}

async function json<Value>(...args: string[]): Promise<Value> {
  return JSON.parse(await output(workspace, ...args, "-o", "json")) as Value;
}

/** The controller says where it answers in a file; asking earlier would start a second engine. */
async function answering(controller: ChildProcess): Promise<void> {
  const deadline = Date.now() + answerWithinMs;
  while (!existsSync(join(workspace, ".thermocline", "controller.json"))) {
    if (controller.exitCode !== null || Date.now() > deadline) {
      throw new Error(`the controller does not answer:\n${await readFile(log, "utf8")}`);
    }
    await delay(100);
  }
}

function say(text: string): void {
  console.log(`\n── ${text}`);
}
