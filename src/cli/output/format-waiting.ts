import type { HeldWork } from "#model/wait.ts";
import { textTable } from "#cli/output/text-table.ts";
import { ago, count } from "#cli/output/words.ts";

/** Reasons shown; `why` has the rest. */
const reasonsShown = 8;

/** Work that waits, one line for each reason with its words; nothing while none does. */
export function formatWaiting(held: readonly HeldWork[], now: Date): string {
  const groups = new Map<string, readonly HeldWork[]>();
  for (const one of held) {
    const key = `${one.wait.reason} ${one.wait.message}`;
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  if (groups.size === 0) return "";
  const table = textTable(
    [
      { title: "waiting" },
      { title: "batches", right: true },
      { title: "lanes" },
      { title: "since" },
      { title: "until" },
      { title: "why" },
    ],
    [...groups.values()].slice(0, reasonsShown).map((group) => rowOf(group, now)),
  );
  const more = groups.size - reasonsShown;
  const rest = more > 0 ? `${count(more)} more reasons\n` : "";
  return `${table}${rest}thermocline why <run> says what ends it\n\n`;
}

function rowOf(group: readonly HeldWork[], now: Date): readonly string[] {
  const [first] = group;
  if (first === undefined) return [];
  const { wait } = first;
  const batches = group.reduce((sum, one) => sum + one.batches, 0);
  const lanes = [...new Set(group.map(({ work }) => work.lane))];
  const [since] = group.map((one) => one.since).toSorted();
  return [
    wait.reason,
    count(batches),
    lanes.join(" "),
    ago(since, now),
    wait.until ?? "",
    wait.message,
  ];
}
