import { expect, test } from "vitest";
import type { Engine } from "#engine.ts";
import { sharedQueueServer } from "../conformance/shared-queue-server.ts";
import { runEngine } from "./running-engine.ts";

const server = sharedQueueServer();

const policy = `apiVersion: thermocline/v1
kind: Policy
metadata: {name: all-verbs}
vars:
  part: {type: text, default: "it's"}
rules:
  - {name: kept, where: 'name = "0.txt"', hold: true}
  - {name: two, where: 'name matches "^[12]" or owner = $part', ensure: {copies: 2, on: 'tier in [hot, cold]'}}
  - {name: down, where: 'heat < 0.5 and size < 1KiB', order: "size desc", demote: {from: tier = hot, to: tier = warm}}
  - {name: away, where: 'name like "3*"', evict: {from: tier = hot}}
  - {name: done, where: size > 1TiB, delete: {grace: 7d}}
  - {name: looked, where: 'name = "1.txt"', run: {verify: {on: tier = hot}}}
  - {name: later, enabled: false, where: size > 1GiB, evict: {from: tier = hot}}
`;

async function found(engine: Engine, rule: string): Promise<readonly string[]> {
  const statements = await engine.ruleStatements({ rule });
  const names: string[] = [];
  for (const { sql } of statements) {
    for await (const { rows } of engine.query(sql)) {
      names.push(...rows.map(({ path }) => String(path).split("/").at(-1) ?? ""));
    }
  }
  return names;
}

test("the SQL of a rule can be run as it is, and finds what the rule would act on", async () => {
  await using running = await runEngine({ queueUrl: server.url, policy });
  const { engine } = running;
  expect((await engine.validate()).diagnostics.filter((one) => one.severity === "error")).toEqual(
    [],
  );
  await running.importFiles(4);
  expect(await found(engine, "all-verbs/kept")).toEqual(["0.txt"]);
  expect(await found(engine, "all-verbs/two")).toEqual(["1.txt", "2.txt"]);
  expect((await found(engine, "all-verbs/down")).toSorted()).toEqual(
    [0, 1, 2, 3].map((name) => `${name}.txt`),
  );
  expect(await found(engine, "all-verbs/away")).toEqual(["3.txt"]);
  expect(await found(engine, "all-verbs/done")).toEqual([]);
  expect(await found(engine, "all-verbs/looked")).toEqual([]);
});

test("a policy has one statement a rule, with values of variables quoted", async () => {
  await using running = await runEngine({ queueUrl: server.url, policy });
  const { engine } = running;
  const statements = await engine.ruleStatements({ rule: "all-verbs" });
  expect(statements.map(({ rule, verb }) => [rule, verb])).toEqual([
    ["all-verbs/kept", "hold"],
    ["all-verbs/two", "ensure"],
    ["all-verbs/down", "demote"],
    ["all-verbs/away", "evict"],
    ["all-verbs/done", "delete"],
    ["all-verbs/looked", "run"],
  ]);
  expect(statements[1]?.sql).toContain("'it''s'");
  const given = { rule: "all-verbs/two", variables: { part: "x'; DROP" } };
  expect((await engine.ruleStatements(given))[0]?.sql).toContain("'x''; DROP'");
  await expect(engine.ruleStatements({ rule: "all-verbs/doun" })).rejects.toMatchObject({
    code: "NOT_FOUND",
    hint: expect.stringContaining('"all-verbs/down"'),
  });
  await expect(engine.ruleStatements({ rule: "all-verbs/later" })).rejects.toThrow(
    '"all-verbs/later" asks nothing: it is switched off',
  );
  expect(await engine.validate()).toMatchObject({ policies: 1, rules: 7, switchedOff: 1 });
});
