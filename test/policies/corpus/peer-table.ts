import type { Intent } from "./read-corpus.ts";

/** How much of each system can be said, as the rows of docs/peer-policies.md. */
export function peerTable(corpus: readonly Intent[]): readonly string[] {
  const systems = [...new Set(corpus.map(({ system }) => system))];
  const rows = [...systems.map((system) => corpus.filter((one) => one.system === system)), corpus];
  return rows.map((intents) => {
    const isAll = intents === corpus;
    const name = isAll ? "**all**" : (intents[0]?.system ?? "");
    const said = intents.filter(({ cannot }) => cannot === undefined).length;
    return `| ${name} | ${intents.length} | ${said} | ${intents.length - said} |`;
  });
}

/** What cannot be said, and why, as the rows of docs/peer-policies.md. */
export function gapTable(corpus: readonly Intent[]): readonly string[] {
  return corpus.flatMap(({ intent, source, cannot }) => {
    const [document] = source.split(",");
    return cannot === undefined ? [] : [`| ${intent} (${document}) | ${cannot} |`];
  });
}
