import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

const stopTimeoutMs = 10_000;

/** Whether this process id is a running PostgreSQL server, as far as the system tells. */
export async function isServerProcess(pid: number): Promise<boolean> {
  if (!(pid > 0) || !signal(pid, 0)) return false;
  // Linux says the name and whether it is only a zombie: `123 (postgres) S …`.
  const facts = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return facts === "" || /^\d+ \(postgres\) [^ZX]/.test(facts);
}

/** Stops a PostgreSQL server and waits for its end. */
export async function stopServer(pid: number): Promise<void> {
  // SIGINT is PostgreSQL's fast shutdown; SIGQUIT the immediate one.
  for (const how of ["SIGINT", "SIGQUIT"] as const) {
    signal(pid, how);
    const deadline = Date.now() + stopTimeoutMs;
    while (Date.now() < deadline) {
      if (!(await isServerProcess(pid))) return;
      await sleep(20);
    }
  }
}

function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, name);
    return true;
  } catch (error) {
    // EPERM: it lives, and belongs to another user.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
