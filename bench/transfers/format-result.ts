import { textTable } from "#cli/output/text-table.ts";
import type { Cost, PeerResult, Result } from "./compare-sides.ts";

const right = true;
const columns = [
  { title: "what, against" },
  { title: "elapsed", right },
  { title: "client", right },
  { title: "servers", right },
  { title: "ratio", right },
  { title: "of client", right },
  { title: "of all processor", right },
  { title: "goal" },
];

/** What was found, for people: one line for what we do, one below it for each other way. */
export function formatResult({ what, ours, peers }: Result): string {
  return textTable(columns, [
    [what, ...times(ours)],
    ...peers.map((peer) => [`  ${peer.name}`, ...times(peer.cost), ...ratios(peer)]),
  ]);
}

function times({ elapsed, client, servers }: Cost): readonly string[] {
  return [elapsed, client, servers].map((seconds) => `${seconds.toFixed(2)} s`);
}

function ratios({ ratio, goal }: PeerResult): readonly string[] {
  const figures = [ratio.elapsed, ratio.client, ratio.processor];
  return [...figures.map((figure) => `${figure.toFixed(2)}x`), goalWords(ratio, goal)];
}

/** On a busy machine elapsed times say little. */
function goalWords({ elapsed, processor }: PeerResult["ratio"], goal: number | undefined): string {
  if (goal === undefined) return "";
  if (elapsed <= goal) return `<= ${goal}x, met`;
  return `<= ${goal}x, missed${processor <= goal ? " (met by processor time)" : ""}`;
}
