import { Option } from "@commander-js/extra-typings";
import type { ReadingApi } from "#model/snapshot-api.ts";
import { EngineError } from "#model/engine-error.ts";
import { isFromFuture } from "#model/from-future.ts";
import type { AsOf } from "#model/index-snapshot.ts";
import type { CommandContext } from "#cli/command.ts";
import { ago } from "#cli/output/words.ts";

/** What was typed to say which snapshot is asked in the place of the index. */
export interface AsOfWords {
  readonly snapshot?: string | undefined;
  readonly at?: string | undefined;
  readonly from?: string | undefined;
}

export function snapshotOption() {
  return new Option(
    "--snapshot <snapshot>",
    "ask a snapshot instead: its CID, the beginning of it, newest, or a time",
  );
}

export function atOption() {
  return new Option("--at <time>", "ask the newest snapshot that is not after this time");
}

export function fromOption() {
  return new Option("--from <backend>", "fetch that snapshot from a backend first, if need be");
}

/** Who answers, and of which snapshot; without one the index, and with one no index is needed. */
export async function connectAsOf(
  context: CommandContext,
  words: AsOfWords,
): Promise<{ readonly api: ReadingApi; readonly asOf: AsOf }> {
  const reference = referenceOf(words);
  if (reference === undefined) return { api: (await context.connect()).api, asOf: {} };
  const { from } = words;
  // What this node fetches by itself it can also ask by itself, when the controller is away.
  const { api } = await context.snapshots({ here: from !== undefined });
  const found =
    from === undefined
      ? await api.findSnapshot(reference)
      : await api.pullSnapshot({ snapshot: reference, from, passing: true });
  const now = context.io.clock.now();
  const isAhead = isFromFuture(found.takenAt, now);
  const age = isAhead ? "in the future, by a clock that was ahead" : ago(found.takenAt, now);
  context.note(`as of snapshot ${found.cid}, taken ${found.takenAt}, ${age}`);
  return { api, asOf: { snapshot: found.cid } };
}

function referenceOf({ snapshot, at, from }: AsOfWords): string | undefined {
  if (snapshot !== undefined && at !== undefined) {
    throw new EngineError("USAGE", "--snapshot and --at both say which snapshot is asked", {
      hint: "leave one away",
    });
  }
  if (at !== undefined && Number.isNaN(Date.parse(at))) {
    throw new EngineError("USAGE", `"${at}" is not a time`, {
      hint: "write it as 2026-11-21 or 2026-11-21T08:00:00Z",
    });
  }
  return snapshot ?? at ?? (from === undefined ? undefined : "newest");
}
