import type { BackendHealth } from "#model/backend-health.ts";
import type { EngineApi, EngineStatus, NodeState } from "#model/engine-api.ts";
import { clockWords, judgeClock } from "#model/clock-difference.ts";
import { formatSize } from "#model/quantity.ts";
import { defaultClockSkewMs } from "#model/removal.ts";
import { formatRuns } from "#cli/output/format-run.ts";
import { formatLeader } from "#cli/output/format-leader.ts";
import { formatWaiting } from "#cli/output/format-waiting.ts";
import { formatTrouble } from "#cli/output/format-trouble.ts";
import { textPairs, textTable } from "#cli/output/text-table.ts";
import { ago, count } from "#cli/output/words.ts";

/** Recent runs that a status shows. */
const runsShown = 5;

/** The state of everything on one screen. */
export function formatStatus(status: EngineStatus, now: Date): string {
  const facts = textPairs([
    ["version", status.version],
    ["data", status.dataDirectory],
    ["queue", status.queue],
    ["up", `since ${status.startedAt}`],
    ...formatLeader(status.leader, now),
    ["objects", `${count(status.objects)}, ${formatSize(status.bytes)}`],
    ["copies", count(status.copies)],
    ["below minimum", belowMinimum(status.belowMinimum)],
    ...formatTrouble(status.trouble),
  ]);
  const backends = textTable(
    [
      { title: "backend" },
      { title: "tier" },
      { title: "copies", right: true },
      { title: "bytes", right: true },
    ],
    status.backends.map(({ name, tier, copies, bytes }) => [
      name,
      tier,
      count(copies),
      formatSize(bytes),
    ]),
  );
  const runs = formatRuns(status.runs.slice(0, runsShown), now);
  const waiting = formatWaiting(status.held, now);
  return `${facts}\n${backends}\n${runs}\n${waiting}${formatNodes(status.nodes, now)}`;
}

function belowMinimum(objects: number): string {
  return objects === 0 ? "0 objects" : `${count(objects)} objects: run thermocline plan`;
}

/** Nodes as a table. */
export function formatNodes(nodes: readonly NodeState[], now: Date): string {
  if (nodes.length === 0) return "no node has reported: `thermocline up` or `worker` starts one\n";
  const clocks = nodes.some((node) => clockOf(node) !== "");
  return textTable(
    [
      { title: "node" },
      { title: "state" },
      { title: "roles" },
      { title: "backends" },
      { title: "machine" },
      { title: "version" },
      { title: "seen" },
      ...(clocks ? [{ title: "clock" }] : []),
    ],
    nodes.map((node) => [
      node.name,
      node.up ? "up" : "down",
      node.roles.join(" "),
      node.backends.join(" "),
      `${node.platform} ${node.architecture}`,
      node.version,
      ago(node.lastSeen, now),
      ...(clocks ? [clockOf(node)] : []),
    ]),
  );
}

/** What is worth knowing of a node's clock. */
function clockOf({ clockAheadMs = 0 }: NodeState): string {
  const isOff = judgeClock(clockAheadMs, defaultClockSkewMs) !== "ok";
  return isOff ? `${clockWords(clockAheadMs)} the controller's` : "";
}

/** Backends as a table, with what each answered. */
export function formatBackends(backends: Awaited<ReturnType<EngineApi["backends"]>>): string {
  if (backends.length === 0)
    return "no backend is configured: see `backends:` in thermocline.yaml\n";
  return textTable(
    [
      { title: "backend" },
      { title: "driver" },
      { title: "tier" },
      { title: "region" },
      { title: "used", right: true },
      { title: "free", right: true },
      { title: "state" },
    ],
    backends.map(({ name, driver, tier, region, usedBytes, freeBytes, cordoned, ...how }) => [
      name,
      driver,
      tier,
      region ?? "",
      formatSize(usedBytes),
      freeBytes === undefined ? "" : formatSize(freeBytes),
      `${cordoned ? "cordoned, " : ""}${healthWords(how.health)}${answer(how.status)}`,
    ]),
  );
}

/** What the controller knows from workers and probes, when it is not simply up. */
function healthWords({ state, since }: BackendHealth): string {
  return state === "up" ? "" : `${state} since ${since}, `;
}

function answer(status: Awaited<ReturnType<EngineApi["backends"]>>[number]["status"]): string {
  if (typeof status === "string") return `unreachable: ${status}`;
  return status.writable ? status.server : `${status.server}, read-only`;
}
