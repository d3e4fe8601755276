import type { Backend } from "#model/backend.ts";
import { formatDuration } from "#model/quantity.ts";
import type { CompiledVerb } from "#policies/compiled-policy.ts";
import { backendsIn } from "#policies/plan/mask-sql.ts";
import type { RuleVerb } from "#policies/policy.ts";

/** What a rule does on which backends: `demote from hot to cold`. */
export function verbWords(
  verb: CompiledVerb,
  said: RuleVerb,
  backends: readonly Backend[],
): string {
  const names = (mask: bigint, separator = ", ") =>
    backendsIn(mask, backends)
      .map(({ name }) => name)
      .join(separator);
  const prefer = (masks?: readonly bigint[]) => {
    const chosen = "on" in verb ? verb.on : "to" in verb ? verb.to : 0n;
    const groups = (masks ?? []).map((mask) => names(mask & chosen, " ")).filter(Boolean);
    return groups.length === 0 ? "" : ` prefer ${groups.join(", ")}`;
  };
  switch (verb.kind) {
    case "hold":
      return "hold";
    case "delete":
      return `delete after ${formatDuration(verb.graceMs)}`;
    case "ensure": {
      const { min, max } = verb.copies;
      const count = max === undefined ? `${min}` : `${min}..${max}`;
      const per = verb.per === undefined ? "" : ` per ${verb.per}`;
      const sure = verb.confidence === "verified" ? "" : ` ${verb.confidence}`;
      return `ensure ${count} on ${names(verb.on)}${per}${prefer(verb.prefer)}${sure}${time(verb.forMs)}`;
    }
    case "promote": {
      const whence =
        verb.from === everywhereBut(verb.to, backends) ? "" : `from ${names(verb.from)} `;
      return `promote ${whence}to ${names(verb.to)}${prefer(verb.prefer)}${time(verb.forMs)}`;
    }
    case "demote":
      return `demote from ${names(verb.from)} to ${names(verb.to)}${prefer(verb.prefer)}${boundWords(said)}`;
    case "evict":
      return `evict from ${names(verb.from)}${boundWords(said)}`;
    default: {
      const on = verb.on === 0n ? "" : ` on ${names(verb.on)}`;
      return `run ${verb.order.action}${on}`;
    }
  }
}

function time(ms: number | undefined): string {
  return ms === undefined ? "" : ` for ${formatDuration(ms)}`;
}

function everywhereBut(mask: bigint, backends: readonly Backend[]): bigint {
  return backends.reduce((all, { id }) => all | (1n << BigInt(id)), 0n) & ~mask;
}

function boundWords(said: RuleVerb): string {
  if (said.kind !== "demote" && said.kind !== "evict") return "";
  const { above, until, quota } = said;
  const mark = (word: string, given: typeof above) => {
    if (given === undefined) return "";
    return ` ${word} ${"share" in given ? `${given.share * 100}%` : `${given.bytes}B`}`;
  };
  const share = quota === undefined ? "" : ` quota ${quota.bytes} per ${quota.per}`;
  return `${mark("above", above)}${mark("until", until)}${share}`;
}
