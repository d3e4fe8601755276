import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { sharedQueueServer } from "../conformance/shared-queue-server.ts";
import { until } from "../conformance/test-engine.ts";
import { allOnCold } from "./all-on-cold.ts";
import { storedBytes } from "./stored-bytes.ts";
import { Workspace } from "./workspace.ts";

const MiB = 1024 * 1024;
const minuteMs = 60_000;
/** So long before the window closes a run has begun. */
const leadMs = 30_000;
/** So soon after the clock has struck, work stands still or goes on. */
const effectMs = 5_000;

const server = sharedQueueServer();
let workspace: Workspace;
afterEach(() => workspace.dispose());

test("a window that closes by the clock stills a transfer in another process; the standby of a killed controller opens it again", async () => {
  workspace = await Workspace.create({ policies: { all: allOnCold }, queueUrl: server.url });
  const source = await workspace.writeFiles(24, 6 * MiB);
  const leader = await workspace.startController();
  workspace.start("worker", "--node-name", "worker-1");
  await workspace.ok("import", "dir", source, "--backend", "hot");
  const first = await workspace.api();
  // The whole run takes longer than the window can be open: 144 s against 90 s.
  await first.setLimits({ backend: "cold", bandwidth: "1M", reason: "a test" });
  const standby = workspace.start("controller");

  const closesAt = Math.ceil((Date.now() + leadMs) / minuteMs) * minuteMs;
  const opensAt = closesAt + minuteMs;
  await writeFile(
    join(workspace.path, "policies", "all.thermocline.yaml"),
    `${allOnCold}windows:
  allow: ["${utc(closesAt - 2 * minuteMs)}-${utc(closesAt)}", "${utc(opensAt)}-${utc(opensAt + 3 * minuteMs)}"]
  onClose: checkpoint
`,
  );
  const { id } = await first.apply({ override: ["objects"] });
  await until(async () => (await bytesOnCold()) > 0, leadMs);
  await sleep(closesAt + effectMs - Date.now());
  const stillAt = await bytesOnCold();
  expect((await first.why(id)).waiting).toMatchObject([
    { wait: { reason: "window", until: new Date(opensAt).toISOString() } },
  ]);

  leader.kill("SIGKILL");
  await workspace.controllerAnswers(standby);
  const second = await workspace.api();
  await until(async () => (await second.why(id)).waiting.length > 0);
  expect((await second.why(id)).waiting).toMatchObject([{ wait: { reason: "window" } }]);
  await sleep(opensAt - 1_000 - Date.now());
  expect(await bytesOnCold()).toBe(stillAt);

  await sleep(opensAt - Date.now());
  await until(async () => (await bytesOnCold()) > stillAt, effectMs);
  await second.resetLimits("cold");
  await until(async () => (await second.run(id)).endedAt !== undefined, 120_000);
  expect(await second.run(id)).toMatchObject({ state: "completed", progress: { done: 24 } });
  expect((await workspace.audit()).problems).toBe("");
}, 300_000);

const bytesOnCold = () => storedBytes(workspace.storage("cold"));

/** The time of day, as windows are written. */
function utc(at: number): string {
  return new Date(at).toISOString().slice(11, 16);
}
