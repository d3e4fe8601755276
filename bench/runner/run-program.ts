import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { peakMemory } from "./peak-memory.ts";

/** The command line as people start it. */
export const program = fileURLToPath(new URL("../../src/cli/thermocline.ts", import.meta.url));

/** Runs Node with these arguments to a good end; says the most memory it ever held, in bytes. */
export async function runNode(args: readonly string[], cwd: string): Promise<number> {
  const stdio = ["ignore", "ignore", "inherit"] as const;
  const child = spawn(process.execPath, args, { cwd, stdio: [...stdio] });
  let most = 0;
  const timer = setInterval(() => {
    most = Math.max(most, peakMemory(child.pid ?? 0));
  }, 25);
  const [code] = (await once(child, "exit")) as [number | null];
  clearInterval(timer);
  if (code !== 0) throw new Error(`${args.join(" ")} ended with exit code ${code}`);
  return most;
}

/** Runs a command of another program to a good end. */
export async function runCommand(file: string, ...args: readonly string[]): Promise<void> {
  const child = spawn(file, args, { stdio: ["ignore", "ignore", "inherit"] });
  const [code] = (await once(child, "exit")) as [number | null];
  if (code !== 0) throw new Error(`${file} ended with exit code ${code}`);
}
