// The whole loop on this machine with nothing installed: import a real tree, heat, policies,
// plan, apply with a worker killed in the middle, and a report that can be checked.
import { cp, mkdir, mkdtemp, rm } from "node:fs/promises";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { setTimeout as delay } from "node:timers/promises";
import { writeAccessLog } from "./demo/access-log.ts";
import { output, startNode, stopNode, thermocline } from "./demo/thermocline-process.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const keep = process.argv.includes("--keep");
const started = Date.now();
const workspace = await mkdtemp(join(tmpdir(), "thermocline-demo-"));
const log = join(workspace, "nodes.log");

say(`A workspace with three backends and the example policies: ${workspace}`);
await mkdir(join(workspace, "policies"));
await cp(join(root, "examples/policies"), join(workspace, "policies"), { recursive: true });
await cp(join(root, "examples/demo/thermocline.yaml"), join(workspace, "thermocline.yaml"));

say("A controller with its embedded queue, and two workers, as processes of their own");
const controller = startNode(workspace, log, "controller");
await answering();
const first = startNode(workspace, log, "worker", "--name", "worker-1");
const second = startNode(workspace, log, "worker", "--name", "worker-2");

try {
  await tell();
  console.log(
    `\nThe demo took ${Math.round((Date.now() - started) / 1000)} s. ` +
      (keep ? `The workspace stays: ${workspace}` : "Its workspace is removed (--keep keeps it)."),
  );
} finally {
  for (const node of [first, second, controller]) await stopNode(node);
  if (!keep) await rm(workspace, { recursive: true, force: true });
}

async function tell(): Promise<void> {
  say("Importing a tree nobody here wrote: the installed dependencies of this project");
  await thermocline(workspace, "import", "dir", join(root, "node_modules"), "--backend", "hot");

  const listed = await output(workspace, "objects", "ls", "--limit", "1000000", "-o", "json");
  const { objects } = JSON.parse(listed) as { objects: { path?: string }[] };
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
  const killing = killInTheMiddle();
  await thermocline(workspace, "apply", "--yes", "--override", "objects");
  await killing;

  say("Where things stand");
  await thermocline(workspace, "status");
  const cold = paths.toSorted((a, b) => b.length - a.length)[0] ?? "";
  say("Why is this one where it is?");
  await thermocline(workspace, "explain", cold);
  await report();
}

async function killInTheMiddle(): Promise<void> {
  for (;;) {
    await delay(250);
    const runs = JSON.parse(await output(workspace, "runs", "-o", "json")) as {
      runs: { progress: { actions: number; remaining: number }; state: string }[];
    };
    const run = runs.runs[0];
    if (run === undefined) continue;
    const { actions, remaining } = run.progress;
    if (run.state !== "running") {
      console.error("(the run ended before a worker could be killed)");
      return;
    }
    if (remaining > actions * 0.8) continue;
    first.kill("SIGKILL");
    await once(first, "exit");
    console.error(`\n*** worker-1 killed with ${remaining} of ${actions} actions to go ***`);
    return;
  }
}

async function report(): Promise<void> {
  const status = JSON.parse(await output(workspace, "status", "-o", "json")) as {
    objects: number;
    copies: number;
    bytes: number;
    belowMinimum: number;
    runs: { progress: { bytesDone: number; done: number; failed: number } }[];
  };
  say("Every copy is read back and hashed again");
  await thermocline(workspace, "verify");
  const moved = status.runs.reduce((sum, run) => sum + run.progress.bytesDone, 0);
  console.log(`
Report
  objects            ${status.objects}
  copies             ${status.copies}
  bytes moved        ${moved}
  ${status.belowMinimum} objects below their minimum`);
  if (status.belowMinimum > 0) process.exitCode = 1;
}

async function answering(): Promise<void> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    if (controller.exitCode !== null) throw new Error(`the controller ended; see ${log}`);
    try {
      const status = await output(workspace, "status", "-o", "json");
      if (status.includes('"controller"')) return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
    await delay(300);
  }
}

function say(text: string): void {
  console.log(`\n── ${text}`);
}
