import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { rowsDiscarded } from "#jobs/plan-file.ts";
import type { PlanAction } from "#model/plan.ts";
import { loadAttributes } from "#policies/attribute-registry.ts";
import { compilePolicies } from "#policies/compile-policies.ts";
import { parsePolicies } from "#policies/parse-policies.ts";
import { buildPlan } from "#policies/plan/build-plan.ts";
import { toPlanAction } from "#policies/plan/plan-rows.ts";
import { backendFacts, cidOf, copyOn, objectOf, openIndex, start } from "../index/open-index.ts";

const dayMs = 86_400_000;
const now = new Date(start.getTime() + 60 * dayMs);

async function exampleSources() {
  const folder = fileURLToPath(new URL("../../examples/policies/", import.meta.url));
  const files = (await readdir(folder)).filter((file) => file.endsWith(".thermocline.yaml"));
  return Promise.all(
    files.map(async (file) => ({ file, text: await readFile(`${folder}${file}`, "utf8") })),
  );
}

test("the texts of the example policies lead to the actions they speak of, on a real index", async () => {
  const { index } = await openIndex([], { now: () => now });
  await index.syncBackends([
    { ...backendFacts("hot"), tier: "hot", region: "eu-1" },
    { ...backendFacts("warm"), tier: "warm", region: "eu-2" },
    { ...backendFacts("cold"), tier: "cold", region: "eu-3" },
  ]);
  const big = { size: 100_000 };
  await index.putObjects(
    [
      objectOf(1, [copyOn("hot")], { ...big, names: ["/lib/idle.js"] }),
      objectOf(2, [copyOn("hot"), copyOn("warm")], { ...big, names: ["/lib/idle-safe.js"] }),
      objectOf(3, [copyOn("hot")], { ...big, names: ["/lib/LICENSE"] }),
      objectOf(4, [copyOn("cold"), copyOn("warm")], { ...big, names: ["/lib/read.js"] }),
      objectOf(5, [copyOn("hot")], { ...big, names: ["/lib/.cache/x"] }),
      objectOf(6, [copyOn("hot")], { ...big, names: ["/lib/.cache/y", "/lib/kept.js"] }),
    ],
    start,
  );
  const at = new Date(now.getTime() - dayMs);
  const reads = Array.from({ length: 5 }, () => ({ object: cidOf(4), at, weight: 1 }));
  await index.recordAccesses("reads", reads);

  const { policies, diagnostics } = parsePolicies(await exampleSources(), {
    registry: await loadAttributes(),
  });
  const moment = { now, heat: await index.heat(), backends: await index.backends() };
  const compiled = compilePolicies(policies, moment);
  expect([...diagnostics, ...compiled.diagnostics]).toEqual([]);
  await using session = await index.session();
  const actions: PlanAction[] = [];
  await buildPlan(compiled.set, session, {
    engine: "0.0.0",
    indexVersion: 1,
    async writeRows(reading, rows) {
      actions.push(...(await reading.rows(rows)).map(toPlanAction));
      return rowsDiscarded()(reading, rows);
    },
  });
  const cids = [1, 2, 3, 4, 5, 6].map(cidOf);
  const name = (id: number | null): string =>
    moment.backends.find((one) => one.id === id)?.name ?? "-";
  // Which of two equal targets a replica goes to is decided by a hash: not what is tested here.
  const seen = actions.map(({ verb, cid, target, victim, rule }) => {
    const to = verb === "replicate" ? "another" : name(target);
    return `${cids.indexOf(cid) + 1} ${verb} to ${to} from ${name(victim)} by ${rule}`;
  });
  expect(seen.toSorted()).toEqual([
    "1 demote to cold from hot by cool-down/cool",
    "1 replicate to another from - by durable/two-regions",
    "2 demote to cold from hot by cool-down/cool",
    "3 replicate to another from - by durable/two-regions",
    "4 promote to hot from - by cool-down/warm-up",
    "5 tombstone to - from - by drop-scratch/drop",
    "6 demote to cold from hot by cool-down/cool",
    "6 replicate to another from - by durable/two-regions",
  ]);
});
