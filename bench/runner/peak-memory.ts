import { readFileSync } from "node:fs";

/** The most memory that a process ever held, in bytes; 0 when it is gone or nobody knows. */
export function peakMemory(pid: number | "self" = "self"): number {
  try {
    // The figure of getrusage may be that of the process which started this one.
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1_024;
  } catch {
    return pid === "self" ? process.resourceUsage().maxRSS * 1_024 : 0;
  }
}
