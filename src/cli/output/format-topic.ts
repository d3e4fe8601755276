import type { Topic } from "#model/topic.ts";
import { textPairs } from "#cli/output/text-table.ts";

/** What an author looked up, for a terminal. */
export function formatTopic({ name, summary, facts, keys }: Topic): string {
  const lines = [
    name,
    ...(summary === "" ? [] : [`  ${summary}`]),
    "",
    ...facts.map(([what, text]) => `  ${what}: ${text}`),
  ];
  if (keys.length === 0) return `${lines.join("\n")}\n`;
  const pairs = keys.map(
    (key) => [`    ${key.name}${key.required ? " (needed)" : ""}`, key.summary] as const,
  );
  const table = textPairs(pairs).replaceAll(/ +$/gm, "");
  return `${[...lines, "", "  keys:"].join("\n")}\n${table}`;
}
