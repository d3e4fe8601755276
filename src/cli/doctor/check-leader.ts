import type { Check } from "#model/check.ts";
import type { LeaderState } from "#model/leader-state.ts";
import { formatDuration } from "#model/quantity.ts";

/** Who leads, and whether another controller could take over with what it would find. */
export function checkLeader(leader: LeaderState | undefined): readonly Check[] {
  if (leader === undefined) return [];
  const { node, epoch, since, standbys, published } = leader;
  const names = standbys.map((standby) => standby.node).join(", ");
  const active: Check = {
    name: "controller",
    state: "ok",
    message:
      `${node} leads since ${since}, epoch ${epoch}; ` +
      (standbys.length === 0 ? "no standby" : `standby: ${names}`),
  };
  if (published === undefined) return [active];
  const { directory, publishedAt, everyMs, tookMs, failure } = published;
  const name = "published index";
  if (failure !== undefined) {
    const message = `the newest is of ${publishedAt}; since then: ${failure}`;
    const why = "a standby with a data directory of its own would lose what happened since";
    const hint = `see that ${directory} can be written and has room`;
    return [active, { name, state: "failed", message, why, hint }];
  }
  const message =
    `${directory}: newest of ${publishedAt}, took ${formatDuration(tookMs)}, ` +
    `at most every ${formatDuration(everyMs)}`;
  return [active, { name, state: "ok", message }];
}
