import { createHash } from "node:crypto";
import { deflateRaw, deflateRawSync, inflateRaw, inflateRawSync } from "node:zlib";
import { promisify } from "node:util";
import type { Job } from "bullmq";
import type { StepData } from "#model/run.ts";
import type { WaitReason } from "#model/wait.ts";

/**
 * What a job does. `act` is what a rule with `run:` has done; `copies` and `removals` are the
 * commits that follow `copy` (or `act`) and `remove`.
 */
export const steps = ["copy", "act", "copies", "remove", "removals"] as const;
export type Step = (typeof steps)[number];

/** Data of a job. The first half never changes; the second is the job's memory. */
export interface StepJobData extends StepData {
  readonly step: Step;
  /** Outcomes so far (packed), so that the next worker goes on where this one stopped. */
  readonly checkpoint?: string;
  /** Evidence gathered for removals about to be made (packed). */
  readonly evidence?: string;
  /** The epoch of the controller that has recorded what the step before found. */
  readonly foundIn?: number;
  /** How often in a row a backend was found to be out: spaces the next tries. */
  readonly outages?: number;
}

/** What a job returns: a packed list of outcomes, or a packed CommitResult. */
export interface StepResult {
  readonly packed: string;
}

/** What people may watch while a job is active. */
export interface StepProgress {
  readonly done: number;
  readonly total: number;
  readonly bytes: number;
  /** Why it stepped aside, in words. */
  readonly waiting?: string;
  readonly reason?: WaitReason;
  /** Since when it steps aside for that reason, without progress in between (ISO 8601 UTC). */
  readonly since?: string;
}

/** Why a job steps aside. */
export interface StepAside {
  readonly reason: WaitReason;
  readonly message: string;
}

/** What a job says about how far it is. */
export function progressOf({ progress }: Pick<Job, "progress">): Partial<StepProgress> {
  return typeof progress === "object" ? progress : {};
}

/** Same batch, attempt and step: same job, so that enqueuing twice is harmless. */
export function stepJobId(data: StepData, step: Step): string {
  const identity = [data.runId, data.planCid, data.batch, data.attempt, step].join("\n");
  return createHash("sha256").update(identity).digest("hex").slice(0, 40);
}

const deflate = promisify(deflateRaw);
const inflate = promisify(inflateRaw);
/** The fastest level: outcomes of one batch are alike and shrink to a fifth even so. */
const packLevel = 1;

/** Smaller values are packed at once: the way to the thread pool costs more than the work. */
const packSyncMax = 16 * 1024;

/** Lists of a thousand outcomes pass through the queue store: they travel compressed. */
export async function pack(value: unknown): Promise<string> {
  const text = JSON.stringify(value);
  const options = { level: packLevel };
  const bytes =
    text.length <= packSyncMax ? deflateRawSync(text, options) : await deflate(text, options);
  return bytes.toString("base64");
}

/** Reverses `pack`; only ever given what our own jobs packed. */
export async function unpack<Value>(packed: string): Promise<Value> {
  const bytes = Buffer.from(packed, "base64");
  const text = bytes.length <= packSyncMax / 8 ? inflateRawSync(bytes) : await inflate(bytes);
  return JSON.parse(text.toString("utf8")) as Value;
}
