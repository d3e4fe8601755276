import { createHash } from "node:crypto";

export const overlaps = ["skip", "queue-one", "cancel-previous"] as const;
/** What an occurrence does while the run of an earlier one is under way. */
export type Overlap = (typeof overlaps)[number];

/** When a policy is evaluated and applied by itself. */
export interface Schedule {
  readonly timing: ScheduleTiming;
  /** IANA name. */
  readonly zone: string;
  readonly jitterMs: number;
  /** An occurrence that was missed runs late within this time; undefined: not at all. */
  readonly catchUpMs: number | undefined;
  readonly overlap: Overlap;
}

export type ScheduleTiming =
  | { readonly kind: "cron"; readonly pattern: string }
  /** At the multiples of this time since 1970. */
  | { readonly kind: "every"; readonly everyMs: number }
  | { readonly kind: "once"; readonly at: Date };

/** How long after its time an occurrence still counts as on time. */
export const onTimeMs = 60_000;

/** How long an occurrence is put off: always the same for one policy and occurrence. */
export function jitterOf(policy: string, occurrence: Date, { jitterMs }: Schedule): number {
  if (jitterMs === 0) return 0;
  const hash = createHash("sha256").update(`${policy}\n${occurrence.toISOString()}`).digest();
  return Math.floor((hash.readUInt32BE(0) / 2 ** 32) * jitterMs);
}

/** The schedule as people read it. */
export function scheduleText({ timing }: Schedule): string {
  if (timing.kind === "cron") return timing.pattern;
  return timing.kind === "every" ? `every ${timing.everyMs / 1_000} s` : timing.at.toISOString();
}

/** Equal for schedules that occur at the same times. */
export function scheduleIdentity({ timing, zone }: Schedule): string {
  return JSON.stringify([timing, timing.kind === "cron" ? zone : ""]);
}
