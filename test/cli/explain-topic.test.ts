import { afterEach, beforeEach, expect, it } from "vitest";
import { describeTopic } from "#engine/documentation/describe-topic.ts";
import { documentSchemas } from "#engine/documentation/document-schemas.ts";
import { keysBelow } from "#engine/documentation/describe-key.ts";
import type { Topic } from "#model/topic.ts";
import { CommandLine } from "./command-line.ts";

let line: CommandLine;
beforeEach(async () => {
  line = await CommandLine.open();
});
afterEach(() => line[Symbol.asyncDispose]());

async function explain(subject: string): Promise<string> {
  const { code, stdout, stderr } = await line.run(["explain", subject]);
  return code === 0 ? stdout : stderr;
}

it("documents a key, whether it is written with its document, with brackets or without", async () => {
  const text = await explain("policy.rules.ensure");
  expect(text).toMatch(/^policy.rules.ensure\n {2}At least \(and at most\) so many copies/);
  expect(text).toContain("  form: a map\n");
  expect(text).toMatch(/^ {4}copies \(needed\) {2,}How many copies at least/m);
  expect(await explain("rules.ensure")).toBe(text);
  expect(await explain("rules[0].ensure")).toBe(text);
  const confidence = await explain("rules.ensure.confidence");
  expect(confidence).toContain("  form: claimed or listed or sampled or verified\n");
  expect(confidence).toContain('  unless said: "verified"\n');
});

it("documents keys under names that people choose, and options of drivers", async () => {
  expect(await explain("policy.vars.limit.type")).toContain("form: duration or");
  expect(await explain("config.backends.options.path")).toContain("Folder of the store");
  expect(await explain("test.tests.given.idle")).toContain("(one read)");
  expect(await explain("calendar.days")).toContain("calendar.days");
});

it("says of options whose they are: a name that drivers mean differently has a line for each", async () => {
  const text = await explain("backends.options");
  expect(text).toMatch(/see the driver's own keys below\n {2}ipfs-cluster: Pins of .*\n {2}kubo: /);
  expect(text).toMatch(/^ {4}path \(needed\) +local: Folder of the store/m);
  expect(text).toMatch(/^ {4}url \(needed\) +ipfs-cluster: REST API/m);
  expect(text).toMatch(/^ {4}url \(needed\) +pinning-service: Address of the service/m);
  expect(text).toMatch(/^ {4}timeout +ipfs-cluster, pinning-service, s3: /m);
  expect(await explain("rules.demote")).not.toContain("local:");
});

it.each([
  ["--at", "2026-01-01"],
  ["--var", "x=1"],
])("refuses %s, which changes no word", async (...more) => {
  const { code, stderr } = await line.run(["explain", "heat", ...more]);
  expect(code).toBe(64);
  expect(stderr).toContain('"heat" is a key, a word or a code: it has no --at or --var');
});

it("documents words of the language and diagnostic codes", async () => {
  const heat = await explain("heat");
  expect(heat).toContain("of: objects (where, order)");
  expect(heat).toContain("also a key: config.heat");
  expect(await explain("tier")).toContain("backends (on, from, to)");
  expect(await explain("e0204")).toBe(`E0204
  types that do not fit

  what to do: compare bytes with bytes, durations with durations
  page: docs/policy-diagnostics.md#E0204
`);
});

it.each([
  ["rules.ensrue", 'did you mean "policy.rules.ensure"?'],
  ["policy.rules.ensure.confidnce", 'did you mean "policy.rules.ensure.confidence"?'],
  ["config.quue", 'did you mean "config.queue"?'],
  ["haet_rank", 'did you mean "heat_rank"?'],
  ["xyzzy", "keys begin with policy, config, test, calendar"],
])("what is not there (%s) is an error with the nearest name", async (subject, hint) => {
  expect(await explain(subject)).toContain(`there is nothing called "${subject}"\nhint: ${hint}`);
});

it("asks the engine about everything that names an object", async () => {
  const cid = "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy";
  for (const subject of [cid, "/films/a.mkv", "17"]) {
    const { stderr } = await line.run(["explain", subject]);
    expect(stderr).toContain("this test does not expect explain()");
  }
});

it("speaks to programs", async () => {
  const { stdout } = await line.run(["explain", "rules.hold", "-o", "json"]);
  const { topic } = JSON.parse(stdout) as { topic: Topic };
  expect(topic).toMatchObject({ name: "policy.rules.hold", kind: "key" });
});

it("finds every key of every document, to the depth of five", async () => {
  let keys = 0;
  const visit = async (path: readonly string[], topic: Topic): Promise<void> => {
    keys += 1;
    expect(topic.name).toBe(path.join("."));
    if (path.length > 5) return;
    for (const { name } of topic.keys) {
      await visit([...path, name], await describeTopic([...path, name].join(".")));
    }
  };
  for (const [root, schema] of await documentSchemas()) {
    for (const { name } of keysBelow([schema])) {
      await visit([root, name], await describeTopic(`${root}.${name}`));
    }
  }
  expect(keys).toBeGreaterThan(150);
});
