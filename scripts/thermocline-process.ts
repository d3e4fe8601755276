import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { endWithUs } from "./services/end-with-us.ts";

const entry = fileURLToPath(new URL("../src/cli/thermocline.ts", import.meta.url));

/** What a command printed, and how it ended. */
export interface CommandOutput {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

type Environment = Readonly<Record<string, string>>;

/** Runs one command as a person would, in the workspace; its output goes where ours goes. */
export async function thermocline(workspace: string, ...args: string[]): Promise<void> {
  console.log(`\n$ thermocline ${args.join(" ")}`);
  const child = spawn(process.execPath, [entry, ...args], { cwd: workspace, stdio: "inherit" });
  endWithUs(child);
  const [code] = (await once(child, "exit")) as [number | null];
  if (code !== 0) throw new Error(`thermocline ${args[0]} ended with exit code ${code}`);
}

/** Runs one command and returns what it prints on standard output. */
export async function output(workspace: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runCommand(workspace, args);
  if (code === 0) return stdout;
  throw new Error(`thermocline ${args[0]} ended with exit code ${code}\n${stderr}`);
}

/** Runs one command to its end, whatever that is. */
export async function runCommand(
  workspace: string,
  args: readonly string[],
  environment: Environment = {},
): Promise<CommandOutput> {
  const child = spawn(process.execPath, [entry, ...args], {
    cwd: workspace,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...environment },
  });
  endWithUs(child);
  const pieces: Record<"stdout" | "stderr", Buffer[]> = { stdout: [], stderr: [] };
  child.stdout.on("data", (piece: Buffer) => pieces.stdout.push(piece));
  child.stderr.on("data", (piece: Buffer) => pieces.stderr.push(piece));
  const [code] = (await once(child, "close")) as [number | null];
  const text = (name: "stdout" | "stderr") => Buffer.concat(pieces[name]).toString("utf8");
  return { code, stdout: text("stdout"), stderr: text("stderr") };
}

/** Starts a node (controller or worker) that runs until it is stopped; it logs to a file. */
export function startNode(workspace: string, log: string, ...args: string[]): ChildProcess {
  return startNodeWith({}, workspace, log, ...args);
}

/** The same with variables added to its environment. */
export function startNodeWith(
  environment: Environment,
  workspace: string,
  log: string,
  ...args: string[]
): ChildProcess {
  return spawnNode({ env: { ...process.env, ...environment } }, workspace, log, args);
}

/** The same as another user, which only root may do. */
export function startNodeAs(
  user: number,
  workspace: string,
  log: string,
  ...args: string[]
): ChildProcess {
  return spawnNode({ uid: user, gid: user }, workspace, log, args);
}

function spawnNode(
  options: { readonly env?: NodeJS.ProcessEnv; readonly uid?: number; readonly gid?: number },
  workspace: string,
  log: string,
  args: readonly string[],
): ChildProcess {
  const file = openSync(log, "a");
  const node = spawn(process.execPath, [entry, ...args], {
    ...options,
    cwd: workspace,
    stdio: ["ignore", file, file],
  });
  closeSync(file);
  endWithUs(node);
  return node;
}

/** Stops a node gently and waits for its end; after `patienceMs` for good. Says if gently. */
export async function stopNode(node: ChildProcess, patienceMs = 60_000): Promise<boolean> {
  if (node.exitCode !== null || node.signalCode !== null) return true;
  const ended = once(node, "exit");
  node.kill("SIGTERM");
  const waiting = new AbortController();
  const late = delay(patienceMs, false, { signal: waiting.signal }).catch(() => false);
  const gentle = await Promise.race([ended.then(() => true), late]);
  waiting.abort();
  if (!gentle) {
    node.kill("SIGKILL");
    await ended;
  }
  return gentle;
}
