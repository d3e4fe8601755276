import { z } from "zod";
import { canonicalCid } from "#content/cid.ts";
import type { StoredCopy } from "#model/copy.ts";

export const pinStates = ["queued", "pinning", "pinned", "failed"] as const;
export type PinState = (typeof pinStates)[number];

const texts = z
  .record(z.string(), z.string())
  .nullish()
  .transform((value) => value ?? {});

/** One request to pin, as the service tells of it (`PinStatus` of the specification). */
export const pinRequest = z.object({
  requestid: z.string().min(1),
  status: z.enum(pinStates),
  created: z.string().refine((text) => !Number.isNaN(Date.parse(text))),
  pin: z.object({ cid: z.string(), meta: texts }),
  delegates: z
    .array(z.string())
    .nullish()
    .transform((value) => value ?? []),
  info: texts,
});

export type PinRequest = z.output<typeof pinRequest>;

export const bytesKey = "thermocline-bytes";

/** The copy that a request stands for. What it takes up was noted with it; for others it is 0. */
export function requestCopy({ requestid, pin }: PinRequest): StoredCopy {
  const bytes = Number(pin.meta[bytesKey] ?? 0);
  const known = Number.isSafeInteger(bytes) && bytes >= 0;
  return { locator: requestid, form: "dag", bytes: known ? bytes : 0 };
}

/** In words, for evidence and errors: "request 7 is failed (status_details: no peers)". */
export function describeRequest({ requestid, status, created, info }: PinRequest): string {
  const said = Object.entries(info)
    .slice(0, 3)
    .map(([key, value]) => `${key}: ${value.slice(0, 200)}`);
  const more = said.length === 0 ? "" : ` (${said.join("; ")})`;
  return `request ${requestid} of ${created} is ${status}${more}`;
}

/** Whether a request is for a CID, in whatever form the service writes it. */
export function isFor({ pin }: PinRequest, cid: string): boolean {
  return pin.cid === cid || canonicalCid(pin.cid) === cid;
}

/** Newest first; requests of the same moment by their id. */
export function byNewest(one: PinRequest, other: PinRequest): number {
  return (
    compare(momentOf(other.created), momentOf(one.created)) ||
    compare(one.requestid, other.requestid)
  );
}

/** A time as text that sorts, to the nanosecond: services are finer than our clocks. */
export function momentOf(created: string): string {
  const fraction = /\.(\d{1,9})/.exec(created)?.[1] ?? "";
  const seconds = Math.floor(Date.parse(created) / 1_000);
  return `${String(seconds).padStart(12, "0")}.${fraction.padEnd(9, "0")}`;
}

function compare(one: string, other: string): number {
  return Number(one > other) - Number(one < other);
}
