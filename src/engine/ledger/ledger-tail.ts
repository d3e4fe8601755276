import { parseTimeInName, timeInName } from "#engine/snapshots/time-in-name.ts";
import { partProfile } from "#engine/snapshots/snapshot-parts.ts";
import type { ObjectRef } from "#model/copy.ts";

/** Entries of the ledger in a file, as its name tells of them: nothing has to be read. */
export interface LedgerTail {
  /** Numbers of its first and last entry; it has all between them. */
  readonly first: number;
  readonly last: number;
  /** Checks of the entry before the first one, and of the last: what follows what. */
  readonly before: string;
  readonly after: string;
  /** ISO 8601. */
  readonly writtenAt: string;
  /** Of the file. */
  readonly cid: string;
  readonly bytes: number;
}

const pattern =
  /^([\dtz.]+)-(\d{1,15})-(\d{1,15})-([0-9a-f]{16})-([0-9a-f]{16})-(b[a-z2-7]+)\.parquet$/;

/** The name of the file, without its folder. */
export function tailName(tail: Omit<LedgerTail, "bytes">): string {
  const { writtenAt, first, last, before, after, cid } = tail;
  return `${[timeInName(writtenAt), first, last, before, after, cid].join("-")}.parquet`;
}

/** Undefined for a file that holds no entries. */
export function parseTailName(name: string, bytes: number): LedgerTail | undefined {
  const match = pattern.exec(name);
  if (match === null) return undefined;
  const [, time = "", first, last, before = "", after = "", cid = ""] = match;
  const writtenAt = parseTimeInName(time);
  if (writtenAt === undefined) return undefined;
  return { first: Number(first), last: Number(last), before, after, writtenAt, cid, bytes };
}

/** The file as the checks of `src/content` know it. */
export function tailObject({ cid, bytes }: LedgerTail): ObjectRef {
  return { cid, size: bytes, profile: partProfile };
}
