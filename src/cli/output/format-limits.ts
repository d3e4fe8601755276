import { textTable } from "#cli/output/text-table.ts";
import type { EffectiveLimits } from "#model/backend-limits.ts";

/** Limits as a table, and below it what changes by itself or was set by hand. */
export function formatLimits(limits: readonly EffectiveLimits[]): string {
  const table = textTable(
    [
      { title: "backend" },
      { title: "bandwidth" },
      { title: "rate" },
      { title: "batches", right: true },
      { title: "per node", right: true },
      { title: "nodes" },
    ],
    limits.map(({ backend, bandwidth, rate, concurrency, perNode, nodes }) => [
      backend,
      bandwidth === "off" ? "no limit" : `${bandwidth}/s`,
      rate === "off" ? "no limit" : rate,
      String(concurrency),
      String(perNode),
      nodes.join(" ") || "idle",
    ]),
  );
  const notes = limits.flatMap((limit) =>
    notesOf(limit).map((note) => `${limit.backend}: ${note}`),
  );
  return notes.length === 0 ? table : `${table}\n${notes.join("\n")}\n`;
}

function notesOf(limit: EffectiveLimits): readonly string[] {
  const { timetable, entry, nextChange, override, heldUntil } = limit;
  const next = nextChange && `${nextChange.bandwidth} from ${nextChange.at}`;
  return [
    ...(timetable === undefined ? [] : [`timetable ${timetable}; ${entry ?? ""} is in force`]),
    ...(next === undefined ? [] : [`next: ${next}`]),
    ...(override === undefined ? [] : [setByHand(override)]),
    ...(heldUntil === undefined ? [] : [`asked everybody to wait until ${heldUntil}`]),
  ];
}

function setByHand(override: NonNullable<EffectiveLimits["override"]>): string {
  const { until, reason } = override;
  const end = until === undefined ? "until `limits reset`" : `until ${until}`;
  return `set while running, ${end}${reason === undefined ? "" : ` (${reason})`}`;
}
