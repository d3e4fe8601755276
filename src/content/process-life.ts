import { createHash } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";

/** A process, told from all others that have had its number. */
export interface ProcessLife {
  /** Names one start of one machine, and one space of process numbers there. */
  readonly space: string;
  readonly pid: number;
  /** When it began, in ticks of the system since that start. */
  readonly began: string;
}

/** This process; undefined where the system does not tell. */
export const ownLife: ProcessLife | undefined = readOwnLife();

/**
 * Whether a process is certain to have ended. Never said of one in another space of process
 * numbers, such as another container: from here its numbers mean nothing.
 */
export function hasEnded({ space, pid, began }: ProcessLife): boolean {
  if (ownLife === undefined || space !== ownLife.space) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ESRCH") return true;
  }
  try {
    return beganAt(pid) !== began;
  } catch {
    return false;
  }
}

/**
 * A space of process numbers keeps its own number while one of its processes lives. So a
 * process with our space's name that lives is seen by us.
 */
function readOwnLife(): ProcessLife | undefined {
  const { pid } = process;
  try {
    // A /proc of another space tells of other processes.
    if (readlinkSync("/proc/self") !== String(pid)) return undefined;
    const start = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    const numbers = readlinkSync("/proc/self/ns/pid");
    const hash = createHash("sha256").update(`${start} ${numbers}`).digest("hex");
    return { space: hash.slice(0, 16), pid, began: beganAt(pid) };
  } catch {
    return undefined;
  }
}

function beganAt(pid: number): string {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The program's name may hold anything; what follows it begins with the third field.
  const began = text.slice(text.lastIndexOf(")") + 2).split(" ")[22 - 3];
  if (began === undefined || !/^\d+$/.test(began)) throw new Error("the system does not tell");
  return began;
}
