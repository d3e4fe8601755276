import { readFile, writeFile } from "node:fs/promises";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, onTestFinished, test } from "vitest";
import type { Engine } from "#engine.ts";
import { signature } from "#jobs/acts/send-message.ts";
import { sharedQueueServer } from "../conformance/shared-queue-server.ts";
import { runEngine } from "./running-engine.ts";

const server = sharedQueueServer();
const secret = `whsec_${Buffer.from("a key of the test").toString("base64")}`;

function policyOf(...rules: readonly string[]): string {
  const lines = rules.map((rule) => `  - ${rule}\n`).join("");
  return `apiVersion: thermocline/v1\nkind: Policy\nmetadata: {name: care}\nrules:\n${lines}`;
}

interface Message {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A receiver that answers with these codes in turn, and with the last from then on. */
async function receiver(...codes: readonly number[]) {
  const messages: Message[] = [];
  const http = createServer((request, response) => {
    const answer = async () => {
      messages.push({ headers: request.headers, body: await text(request) });
      response.writeHead(codes[Math.min(messages.length, codes.length) - 1] ?? 200).end("thanks");
    };
    void answer();
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void http.close());
  const { port } = http.address() as AddressInfo;
  return { messages, url: `http://127.0.0.1:${port}/hook?key=hidden` };
}

const webhooks = `webhooks: {ops: {url: "env:HOOK_URL", secret: "env:HOOK_SECRET", timeout: 5s}}`;

/** An engine with the rule, and with a webhook `ops` at the address. */
function engineTelling(url: string, rule: string) {
  const env = { HOOK_URL: url, HOOK_SECRET: secret };
  return runEngine({ queueUrl: server.url, policy: policyOf(rule), more: webhooks, env });
}

async function outcomes(engine: Engine): Promise<readonly (readonly unknown[])[]> {
  const found = (await Array.fromAsync(engine.audit({ where: 'kind = "outcome"' }))).flat();
  return found.map(({ outcome, reason, message }) => [outcome, reason, message]);
}

test("one signed message tells a webhook of all objects, once; after every: once more", async () => {
  const { messages, url } = await receiver(503, 200);
  const rule = "{name: tell, where: size > 0, run: {notify: {webhook: ops, every: 1h}}}";
  await using running = await engineTelling(url, rule);
  const { engine } = running;
  await running.importFiles(3);
  const before = await engine.plan({});
  expect(before.plan.header.totals.groups).toMatchObject([{ verb: "notify", actions: 3 }]);
  expect(await running.applyToEnd()).toMatchObject({ state: "completed", progress: { done: 3 } });
  const [first, second] = messages;
  expect(messages).toHaveLength(2);
  // The receiver had answered 503: the same message came again, under the same id.
  expect(second?.headers["webhook-id"]).toBe(first?.headers["webhook-id"]);
  expect(second?.body).toBe(first?.body);
  const told = JSON.parse(second?.body ?? "") as { data: { rule: string; objects: object[] } };
  expect(told.data.rule).toBe("care/tell");
  expect(told.data.objects).toHaveLength(3);
  const { "webhook-id": id, "webhook-timestamp": at } = second?.headers ?? {};
  const signed = signature(secret, [id, at, second?.body].join("."));
  expect(second?.headers["webhook-signature"]).toBe(`v1,${signed}`);
  expect((await engine.plan({})).plan.header.totals.actions).toBe(0);
  const later = new Date(Date.now() + 2 * 3_600_000).toISOString();
  expect((await engine.plan({ at: later })).plan.header.totals.actions).toBe(3);
  const ledger = JSON.stringify((await Array.fromAsync(engine.audit({}))).flat());
  const written = JSON.stringify(before) + ledger;
  expect(written).toContain("webhook ops took it (HTTP 200");
  for (const hidden of [secret, "hidden", "127.0.0.1"]) expect(written).not.toContain(hidden);
});

test("batches that are handed out together know their orders, each its own", async () => {
  const { messages, url } = await receiver(200);
  const rules = ["one", "two", "three"].map(
    (name) => `{name: ${name}, where: size > 0, run: {notify: {webhook: ops}}}`,
  );
  await using running = await engineTelling(url, rules.join("\n  - "));
  await running.importFiles(2);
  expect(await running.applyToEnd()).toMatchObject({ state: "completed", progress: { done: 6 } });
  const told = messages.map(({ body }) => (JSON.parse(body) as { data: { rule: string } }).data);
  expect(told.map(({ rule }) => rule).toSorted()).toEqual(["care/one", "care/three", "care/two"]);
});

test("what a webhook refuses has failed, and the next plan wants it again", async () => {
  const { messages, url } = await receiver(422);
  const rule = "{name: tell, where: size > 0, run: {notify: {webhook: ops}}}";
  await using running = await engineTelling(url, rule);
  const { engine } = running;
  await running.importFiles(4);
  expect(await running.applyToEnd()).toMatchObject({ state: "failed", progress: { failed: 4 } });
  expect(messages).toHaveLength(1);
  expect((await outcomes(engine))[0]).toEqual([
    "failed",
    "REFUSED",
    "webhook ops answered HTTP 422",
  ]);
  expect((await engine.plan({})).plan.header.totals.actions).toBe(4);
});

test("a command gets the objects as lines, nothing of a shell, and few variables", async () => {
  const script = `const { readFileSync, writeFileSync } = require("node:fs");
    const { SECRET, KEPT, THERMOCLINE_RULE: rule } = process.env;
    const lines = readFileSync(0, "utf8").trim().split("\\n").map((line) => JSON.parse(line));
    writeFileSync(process.argv[2], JSON.stringify({ lines, SECRET, KEPT, rule, word: process.argv[3] }));
    process.exit(0);`;
  const rules = [
    "{name: scan, where: size > 0, run: {command: {name: scan}}}",
    "{name: fail, where: size > 0, run: {command: {name: fail}}}",
  ];
  await using running = await runEngine({
    queueUrl: server.url,
    policy: policyOf(...rules),
    more: `commands:
  scan: {run: [${process.execPath}, scan.cjs, out.json, "$(id); *"], environment: [KEPT]}
  fail: {run: [${process.execPath}, -e, "process.exit(3)"]}`,
    env: { SECRET: "not yours", KEPT: "yours" },
    prepare: async (folder) => {
      await writeFile(join(folder, "scan.cjs"), script);
    },
  });
  const { engine, folder } = running;
  await running.importFiles(5);
  expect(await running.applyToEnd()).toMatchObject({
    state: "partial",
    progress: { done: 5, failed: 5 },
  });
  const seen = JSON.parse(await readFile(join(folder, "out.json"), "utf8")) as Record<
    string,
    unknown
  >;
  expect(seen).toMatchObject({ KEPT: "yours", rule: "care/scan", word: "$(id); *" });
  expect(seen["SECRET"]).toBeUndefined();
  expect(seen["lines"]).toHaveLength(5);
  const ends = new Set(
    (await outcomes(engine)).map(([outcome, , message]) => [outcome, message].join(": ")),
  );
  expect([...ends].toSorted()).toEqual([
    "done: command scan exited with 0",
    "failed: command fail exited with 3",
  ]);
  expect((await engine.plan({})).plan.header.totals.groups).toMatchObject([
    { rule: "care/fail", actions: 5 },
  ]);
});

test("what a command fails with is kept with the failures, quarantined, released and dismissed", async () => {
  const script = `process.stdin.resume().on("end", () => {
    console.error("opening with " + process.env.KEY);
    console.error("\\u001B[31mno such table");
    process.exit(3);
  });`;
  await using running = await runEngine({
    queueUrl: server.url,
    policy: policyOf("{name: load, where: size > 0, run: {command: {name: load}}}"),
    more: `commands:\n  load: {run: [${process.execPath}, load.cjs], environment: [KEY]}`,
    env: { KEY: "a secret of somebody" },
    prepare: async (folder) => {
      await writeFile(join(folder, "load.cjs"), script);
    },
  });
  const { engine } = running;
  await running.importFiles(2);
  const all = { offset: 0, limit: 10 };
  for (let run = 1; run <= 3; run += 1) {
    expect(await running.applyToEnd()).toMatchObject({ state: "failed" });
    expect((await engine.failures(all)).failures).toMatchObject(
      [1, 2].map(() => ({ step: "act", verb: "command", rule: "care/load", failures: run })),
    );
  }
  const report = await engine.failures({ ...all, quarantined: true });
  expect(report.causes).toMatchObject([
    { code: "REFUSED", count: 2, output: "opening with $KEY\nno such table" },
  ]);
  expect(report.failures[0]).toMatchObject({ backend: undefined, size: 9 });
  const left = await engine.plan({});
  expect(left.plan.header.totals.actions).toBe(0);
  expect(left.plan.header.blocked).toMatchObject([{ reason: "quarantined", objects: 2 }]);
  const retried = await engine.retry({ cause: "REFUSED", dryRun: true });
  expect(retried.leftOut).toEqual([{ reason: "quarantined", actions: 2 }]);
  const first = { object: "/source/0.txt" };
  expect(await engine.releaseQuarantine(first, "mended")).toEqual({ released: 1 });
  const again = await engine.retry({ cause: "REFUSED", dryRun: true });
  expect(again.plan.header.totals.actions).toBe(1);
  expect(await engine.dismissFailures({}, "gone")).toEqual({ dismissed: 1 });
  expect(await engine.failures(all)).toMatchObject({ total: 0 });
  expect((await engine.status()).trouble).toMatchObject({ failing: 0, quarantined: 0 });
  const ledger = (await Array.fromAsync(engine.audit({ where: 'kind = "quarantine"' }))).flat();
  const reasons = ledger.map(({ reason }) => String(reason)).toSorted();
  expect(reasons).toEqual(["REFUSED", "REFUSED", "dismissed", "released"]);
});

test("a webhook that cannot be reached is named by why while its run still waits", async () => {
  const rule = "{name: tell, where: size > 0, run: {notify: {webhook: ops}}}";
  await using running = await engineTelling("http://127.0.0.1:1/", rule);
  const { engine } = running;
  await running.importFiles(1);
  const run = await engine.apply({ override: ["objects"] });
  await expect
    .poll(async () => (await engine.why(run.id)).waiting.map(({ wait }) => wait), {
      timeout: 15_000,
    })
    .toMatchObject([
      { reason: "outage", message: expect.stringContaining("webhook ops cannot be reached") },
    ]);
});

test("names that the configuration does not have are refused at their place", async () => {
  const rule = "{name: tell, where: size > 0, run: {notify: {webhook: opps}}}";
  const env = { HOOK_URL: "http://127.0.0.1:9/", HOOK_SECRET: secret };
  await using running = await runEngine({
    queueUrl: server.url,
    policy: policyOf(rule),
    more: webhooks,
    env,
  });
  const { diagnostics } = await running.engine.validate();
  expect(diagnostics).toMatchObject([
    {
      code: "E0308",
      message: expect.stringContaining('no webhook "opps"'),
      range: { start: { line: 5 } },
    },
  ]);
});
