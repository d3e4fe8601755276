import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findBenchmark } from "./find-benchmarks.ts";
import type { SizeReport } from "./measure-size.ts";
import type { SizeAnswer, SizeTask } from "./size-process.ts";

const entry = fileURLToPath(new URL("size-process.ts", import.meta.url));

export interface SizeRequest extends Pick<SizeTask, "name" | "objects" | "rounds"> {
  /** Ends what runs, and leaves nothing behind. */
  readonly signal: AbortSignal;
}

/** Runs a benchmark at one size: prepares and measures, each in a process of its own. */
export async function runSize({ signal, ...request }: SizeRequest): Promise<SizeReport> {
  const folder = await mkdtemp(join(tmpdir(), "thermocline-bench-"));
  try {
    await runPart({ ...request, folder, part: "prepare" }, signal);
    const answer = await runPart({ ...request, folder, part: "measure" }, signal);
    if (answer.report === undefined) throw new Error("the measuring process reported nothing");
    if ((await findBenchmark(request.name)).sidesApart !== true) return answer.report;
    const held = async (part: "ours" | "peer"): Promise<number> => {
      const { report } = await runPart({ ...request, folder, part }, signal);
      if (report === undefined) throw new Error("the measuring process reported nothing");
      return report.memory.peakBytes - report.memory.baseBytes;
    };
    const apart = { oursBytes: await held("ours"), peerBytes: await held("peer") };
    return { ...answer.report, memory: { ...answer.report.memory, apart } };
  } finally {
    // What was ended may still be writing for a moment.
    await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
}

async function runPart(task: SizeTask, signal: AbortSignal) {
  signal.throwIfAborted();
  // In a process group of its own, so that whatever it starts ends with it.
  const child = fork(entry, [JSON.stringify(task)], {
    detached: true,
    stdio: ["ignore", process.stderr, process.stderr, "ipc"],
  });
  const end = () => endGroup(child);
  signal.addEventListener("abort", end);
  try {
    let answer: SizeAnswer | undefined;
    child.on("message", (message) => {
      answer = message as SizeAnswer;
    });
    const [code] = (await once(child, "exit")) as [number | null];
    signal.throwIfAborted();
    if (answer === undefined) throw new Error(`the process ended with exit code ${code}`);
    if ("problem" in answer) throw new Error(answer.problem);
    return answer;
  } finally {
    signal.removeEventListener("abort", end);
  }
}

function endGroup(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // Where there are no groups, or it has gone by itself.
    child.kill("SIGKILL");
  }
}
