import type { ComparedPlan, PlanDiff, PlanDiffSample } from "#model/plan-diff.ts";
import { formatSize } from "#model/quantity.ts";
import { costWords } from "#cli/output/cost-words.ts";
import { textTable } from "#cli/output/text-table.ts";
import { count, counted } from "#cli/output/words.ts";

/** What a second plan does differently, for people. */
export function formatPlanDiff({ from, to, objects, rules }: PlanDiff): string {
  const lines = [
    `from plan ${from.cid}, evaluated at ${from.evaluatedAt}: ${doings(from)}`,
    `to   plan ${to.cid}, evaluated at ${to.evaluatedAt}: ${doings(to)}`,
  ];
  if (from.indexVersion !== to.indexVersion) {
    lines.push("the index changed between the two: part of the difference may come from that");
  }
  if (rules.length === 0) return `${lines.join("\n")}\n\nthey do the same\n`;
  const table = textTable(
    [
      { title: "rule" },
      { title: "difference" },
      { title: "objects", right: true },
      { title: "bytes", right: true },
    ],
    rules.map((rule) => [rule.rule, rule.difference, count(rule.objects), formatSize(rule.bytes)]),
  );
  const samples = rules.flatMap(({ rule, difference, samples: shown }) => [
    ...(shown.length === 0 ? [] : ["", `${difference}, ${rule}:`]),
    ...shown.map((sample) => `  ${sampleText(sample)}`),
  ]);
  const total =
    `objects: ${count(objects.gained.objects)} gained, ${count(objects.lost.objects)} lost, ` +
    `${count(objects.changed.objects)} changed, ${count(objects.same.objects)} the same`;
  return [...lines, "", table.trimEnd(), "", total, ...samples, ""].join("\n");
}

function doings({ actions, cost }: ComparedPlan): string {
  const work = counted(actions, "action");
  return cost === undefined ? work : `${work}, ${costWords(cost)}`;
}

function sampleText({ cid, path, size, from, to }: PlanDiffSample): string {
  const name = path === undefined ? cid : `${path} ${cid}`;
  return `${name} (${formatSize(size)}): ${effectWords(from)} → ${effectWords(to)}`;
}

function effectWords(effects: readonly string[]): string {
  return effects.length === 0 ? "nothing" : effects.join(" and ");
}
