import type { LeaderState } from "#model/leader-state.ts";
import { formatDuration, formatSize } from "#model/quantity.ts";
import { ago } from "#cli/output/words.ts";

type Pair = readonly [name: string, value: string];

/** Who leads, who stands by, and how old the index is that a standby elsewhere would take. */
export function formatLeader(leader: LeaderState | undefined, now: Date): readonly Pair[] {
  if (leader === undefined) return [];
  const { node, pid, epoch, since, standbys, removalsFrom, clockStepMs, published } = leader;
  const pairs: Pair[] = [
    ["controller", `${node} (process ${pid}) since ${since}, epoch ${epoch}`],
    ["standby", standbys.length === 0 ? "none" : standbys.map(standbyText).join(", ")],
  ];
  if (removalsFrom !== undefined) {
    const why =
      clockStepMs === undefined
        ? "older permits may be in use"
        : `the controller's clock went forward by ${formatDuration(clockStepMs)}, and permits ` +
          "from before may be in use";
    pairs.push(["removals", `wait until ${removalsFrom}: ${why}`]);
  }
  if (published !== undefined) {
    const { publishedAt, bytes, tookMs, failure } = published;
    const what = `${ago(publishedAt, now)}, ${formatSize(bytes)} in ${formatDuration(tookMs)}`;
    pairs.push(["published", failure === undefined ? what : `${what}; since then: ${failure}`]);
  }
  return pairs;
}

function standbyText({ node, pid }: LeaderState["standbys"][number]): string {
  return `${node} (process ${pid})`;
}
