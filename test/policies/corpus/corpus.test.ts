import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { FixtureIndex } from "#index/fixture-index.ts";
import { type Backend, freeOfCharge } from "#model/backend.ts";
import type { ReadSession } from "#model/sql.ts";
import { type AttributeRegistry, loadAttributes } from "#policies/attribute-registry.ts";
import { compilePolicies } from "#policies/compile-policies.ts";
import type { CompiledRule, Moment } from "#policies/compiled-policy.ts";
import { parsePolicies } from "#policies/parse-policies.ts";
import { joinFragments, sql, toStatement, trusted } from "#policies/sql-fragment.ts";
import { parsePolicyTests } from "#policies/testing/parse-policy-tests.ts";
import { loadDrivers } from "#registry.ts";
import { gapTable, peerTable } from "./peer-table.ts";
import { corpusFolder, type Intent, readCorpus } from "./read-corpus.ts";
import { verbWords } from "./verb-words.ts";

const corpus = await readCorpus();
const outside = {
  webhooks: ["storage-team"],
  commands: ["make-thumbnails", "report-large-files"],
  exports: [],
};
let registry: AttributeRegistry;
let index: FixtureIndex;
let session: ReadSession;
let moment: Moment;
let names: ReadonlyMap<number, string>;

beforeAll(async () => {
  registry = await loadAttributes();
  const drivers = await loadDrivers();
  const file = `${corpusFolder}fixture.yaml`;
  const { tests, diagnostics } = parsePolicyTests(
    [{ file, text: await readFile(file, "utf8") }],
    [...drivers.keys()],
  );
  const fixture = tests[0]?.cases[0];
  if (fixture === undefined || diagnostics.length > 0) {
    throw new TypeError(`the fixture of the corpus has mistakes: ${JSON.stringify(diagnostics)}`);
  }
  index = await FixtureIndex.open({ now: fixture.now });
  const facts = fixture.backends.map((supposed): Backend => {
    const { capacityBytes, usedBytes, driver } = supposed;
    const capabilities = drivers.get(driver)?.capabilities;
    if (capabilities === undefined) throw new TypeError(`no driver ${driver}`);
    const freeBytes = capacityBytes === undefined ? undefined : capacityBytes - usedBytes;
    return { ...supposed, id: 0, freeBytes, price: freeOfCharge, capabilities };
  });
  const ids = await index.load(
    facts,
    fixture.objects.map((object) => object.fixture),
  );
  names = new Map(fixture.objects.map(({ name }, at) => [ids.objects[at] ?? -1, name]));
  const backends = facts.map((one) => ({ ...one, id: ids.backends.get(one.name) ?? -1 }));
  moment = { now: fixture.now, backends, heat: await index.heat(), outside };
  session = await index.session();
});

afterAll(async () => {
  await session[Symbol.asyncDispose]();
  await index[Symbol.asyncDispose]();
});

/** The objects on which a rule acts: in its order, as many as its limit leaves. */
async function objectsOf({ where, order, limit }: CompiledRule): Promise<readonly string[]> {
  const keys = order.map(
    ({ key, descending }) =>
      sql`${key} ${trusted(descending ? "DESC NULLS LAST" : "ASC NULLS LAST")}`,
  );
  const rows = await session.rows(
    toStatement(sql`SELECT o.object_id FROM object o WHERE ${where}
      ORDER BY ${joinFragments([...keys, trusted("o.object_id")], ", ")}`),
  );
  const found = rows.map((row) => names.get(Number(row["object_id"])) ?? "?");
  return found.slice(0, limit.objects ?? found.length);
}

async function answerOf({ text }: Intent) {
  const parsed = parsePolicies([{ file: "corpus.thermocline.yaml", text }], { registry });
  const { set, diagnostics } = compilePolicies(parsed.policies, moment);
  const errors = [...parsed.diagnostics, ...diagnostics]
    .filter(({ severity }) => severity === "error")
    .map(({ code, message }) => `${code} ${message}`);
  const selects: Record<string, readonly string[]> = {};
  const does: Record<string, string> = {};
  for (const [at, rule] of set.rules.entries()) {
    const name = rule.id.split("/")[1] ?? "";
    const said = parsed.policies[0]?.rules[at];
    if (said === undefined) throw new TypeError(`no rule ${name}`);
    selects[name] = await objectsOf(rule);
    does[name] = verbWords(rule.verb, said.verb, moment.backends);
  }
  return { errors, selects, does };
}

const expressible = corpus.filter(({ cannot }) => cannot === undefined);

test.for(expressible)("$system: $intent", async (intent) => {
  const { selects, does } = intent;
  expect(await answerOf(intent)).toEqual({ errors: [], selects, does });
});

test("what cannot be said is said to be so, and no two intents are one", () => {
  const reasons = corpus.flatMap(({ cannot }) => (cannot === undefined ? [] : [cannot]));
  expect(reasons.every((reason) => reason.length > 20)).toBe(true);
  expect(corpus.every(({ source }) => source.includes(","))).toBe(true);
  expect(new Set(corpus.map(({ text, intent }) => `${text}${intent}`)).size).toBe(corpus.length);
  expect(expressible.length / corpus.length).toBeGreaterThan(0.85);
});

test("the page on peer systems counts what is here, and gives every reason", async () => {
  const page = await readFile(new URL("../../../docs/peer-policies.md", import.meta.url), "utf8");
  const lines = page.split("\n");
  const rows = [...peerTable(corpus), ...gapTable(corpus)];
  expect(rows.filter((row) => !lines.includes(row))).toEqual([]);
  expect(lines.filter((line) => line.startsWith("| ") && !rows.includes(line))).toEqual([
    "| system | intents | can be said | cannot |",
    "| what | why, and what there is instead |",
  ]);
});
