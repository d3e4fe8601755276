import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import type { QueueServer } from "../conformance/queue-servers.ts";
import type { Workspace } from "../integration/workspace.ts";
import { expectWholeRun, notDone, runEnds, single } from "./takeover-run.ts";
import { twoMachines } from "./two-machines.ts";

/**
 * Kills the active controller, index and all, after it did more than the newest published index
 * says; the standby on the other data directory must finish the run with what it has.
 */
export async function loseAMachine(
  server: QueueServer,
  spaces: Workspace[],
): Promise<AfterTheLoss> {
  const options = { queueUrl: server.url, files: 300, every: "15s", address: true };
  const [first, second] = await twoMachines(options);
  spaces.push(first, second);
  const active = await first.startController();
  const standby = second.start("controller", "--node-name", "second");
  await said(second, "waiting as standby: the controller on node");
  // One batch after the other, and slowly: when the first has its permits, others have none yet.
  await first.ok("limits", "set", "cold", "--concurrency", "1", "--bandwidth", "2M");
  await first.ok("apply", "--yes", "--no-wait", "--override", "objects");
  const applied = await single(first, "SELECT commits::INTEGER AS n FROM counters");
  await expect
    .poll(() => lastPublished(first), { timeout: 60_000 })
    .toBeGreaterThanOrEqual(applied);
  for (const name of ["worker-1", "worker-2"]) first.start("worker", "--node-name", name);
  await expect.poll(() => single(first, permits), { timeout: 120_000 }).toBeGreaterThan(0);
  const permitsBefore = await single(first, permits);

  const killedAt = performance.now();
  active.kill("SIGKILL");
  await said(second, "runs as controller");
  const tookMs = Math.round(performance.now() - killedAt);
  const permitsKnown = await single(second, permits);
  console.info(
    `took over after ${tookMs} ms, knowing ${permitsKnown} of at least ${permitsBefore} permits`,
  );
  expect(standby.exitCode).toBe(null);
  expect(tookMs).toBeLessThan(20_000);
  await second.ok("limits", "set", "cold", "--concurrency", "16", "--bandwidth", "off");

  await runEnds(second, 300_000);
  // What the lost controller had given up already, and nothing else, is found to be gone.
  for (const end of await notDone(second)) {
    expect(end).toMatchObject({ outcome: "skipped", reason: "absent", verb: "demote" });
  }
  await expectWholeRun(second);
  return {
    permits: await single(second, permitsOfNewTerm),
    permitsTooEarly: await single(second, earlyPermits),
  };
}

/** What the standby did as the controller. */
export interface AfterTheLoss {
  readonly permits: number;
  /** Issued while an unknown one might have been in use. */
  readonly permitsTooEarly: number;
}

/** Waits until a node of this workspace has logged a text. */
export async function said(space: Workspace, text: string): Promise<void> {
  await expect
    .poll(() => readFile(space.log, "utf8").catch(() => ""), { timeout: 120_000, interval: 50 })
    .toContain(text);
}

/** How much of the index the newest published one holds. */
async function lastPublished(space: Workspace): Promise<number> {
  const names = await readdir(join(space.path, "published"));
  const newest = names
    .filter((name) => name.endsWith(".json"))
    .toSorted()
    .at(-1);
  return Number(newest?.split("-")[1]?.replace(".json", "") ?? -1);
}

const permits = "SELECT count(*)::INTEGER AS n FROM ledger WHERE kind = 'permit'";
const newTerm = "(SELECT max(epoch) FROM controller_terms)";
const permitsOfNewTerm =
  "SELECT count(*)::INTEGER AS n FROM ledger_entries WHERE kind = 'permit' " +
  `AND json_extract(detail, '$.epoch')::BIGINT = ${newTerm}`;
const earlyPermits =
  `${permitsOfNewTerm} AND recorded < ` +
  `(SELECT permits_from FROM controller_terms WHERE epoch = ${newTerm})`;
