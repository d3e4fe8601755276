import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { endWithUs } from "./end-with-us.ts";

/** A server that a test started, and that never outlives it; `stop` waits for its end. */
export interface ServerProcess {
  readonly pid: number;
  /** Whether it has ended, by itself or because it was told to. */
  hasEnded(): boolean;
  stop(): Promise<void>;
  /** Ends it at once, as a power failure would. */
  kill(): Promise<void>;
  /** The same without waiting, for a process that ends itself. */
  abandon(): void;
}

const readyWithinMs = 45_000;

/** Starts a program and waits until it answers. Throws with its output when it does not. */
export async function startServer(
  program: string,
  args: readonly string[],
  options: {
    readonly folder: string;
    readonly environment?: Readonly<Record<string, string>>;
    /** Whom it runs as, where it may not run as us. */
    readonly user?: { readonly uid?: number; readonly gid?: number };
    /** How it is asked to end; SIGTERM unless said. */
    readonly stopSignal?: NodeJS.Signals;
    /** How long it may take to answer, where that is more than a moment. */
    readonly readyWithinMs?: number;
    /** What it writes before it may be asked at all. */
    readonly says?: string;
    answers(): Promise<boolean>;
  },
): Promise<ServerProcess> {
  const child = spawn(program, args, {
    cwd: options.folder,
    env: { ...process.env, ...options.environment },
    stdio: ["ignore", "pipe", "pipe"],
    ...options.user,
  });
  endWithUs(child);
  const exited = once(child, "exit");
  const { says = "" } = options;
  let output = "";
  let hasSaid = says === "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      hasSaid ||= output.includes(says);
      output = output.slice(-4_000);
    });
  }
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (!hasEnded()) child.kill(signal);
    await exited;
  };
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  const stop = () => end(options.stopSignal ?? "SIGTERM");
  const deadline = Date.now() + (options.readyWithinMs ?? readyWithinMs);
  const isReady = async () => hasSaid && (await options.answers().catch(() => false));
  while (!(await isReady())) {
    if (hasEnded() || Date.now() > deadline) {
      await stop();
      throw new Error(`${program} did not start:\n${output}`);
    }
    await sleep(20);
  }
  return {
    pid: child.pid ?? 0,
    hasEnded,
    stop,
    kill: () => end("SIGKILL"),
    abandon: () => void child.kill("SIGKILL"),
  };
}

/** Below those that systems give to connections by themselves (32768 and up on Linux). */
const ports = { first: 10_240, past: 32_768 };

/**
 * A loopback port that nobody listens on right now. It is not one that the system would give to
 * somebody else's connection before the server has started.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(ports.first, ports.past);
    const server = createServer();
    server.listen(port, "127.0.0.1");
    const isFree = await once(server, "listening").then(
      () => true,
      () => false,
    );
    if (!isFree) continue;
    server.close();
    await once(server, "close");
    return port;
  }
}
