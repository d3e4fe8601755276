import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { openSync } from "node:fs";
import { fileURLToPath } from "node:url";

const entry = fileURLToPath(new URL("../../src/cli/thermocline.ts", import.meta.url));

/** Runs one command as a person would, in the workspace; its output goes where ours goes. */
export async function thermocline(workspace: string, ...args: string[]): Promise<void> {
  console.log(`\n$ thermocline ${args.join(" ")}`);
  const child = spawn(process.execPath, [entry, ...args], { cwd: workspace, stdio: "inherit" });
  const [code] = (await once(child, "exit")) as [number | null];
  if (code !== 0) throw new Error(`thermocline ${args[0]} ended with exit code ${code}`);
}

/** Runs one command and returns what it prints on standard output. */
export async function output(workspace: string, ...args: string[]): Promise<string> {
  const child = spawn(process.execPath, [entry, ...args], {
    cwd: workspace,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const pieces: Buffer[] = [];
  child.stdout.on("data", (piece: Buffer) => pieces.push(piece));
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new Error(`thermocline ${args[0]} ended with exit code ${code}`);
  return Buffer.concat(pieces).toString("utf8");
}

/** Starts a node (controller or worker) that runs until it is stopped; it logs to a file. */
export function startNode(workspace: string, log: string, ...args: string[]): ChildProcess {
  const file = openSync(log, "a");
  return spawn(process.execPath, [entry, ...args], {
    cwd: workspace,
    stdio: ["ignore", file, file],
  });
}

/** Stops a node gently and waits for its end. */
export async function stopNode(node: ChildProcess): Promise<void> {
  if (node.exitCode !== null || node.signalCode !== null) return;
  const ended = once(node, "exit");
  node.kill("SIGTERM");
  await ended;
}
