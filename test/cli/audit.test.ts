import { afterEach, beforeEach, expect, test } from "vitest";
import type { AuditEntry, AuditReport, AuditRequest } from "#model/audit.ts";
import { acting } from "#model/acting.ts";
import { CommandLine } from "./command-line.ts";

const sound: AuditReport = {
  runs: 1,
  actions: 2,
  outcomes: { done: 2, skipped: 0, failed: 0, cancelled: 0 },
  permits: 2,
  proofs: 2,
  settlements: 0,
  entries: 8,
  findings: [],
};

const entries: readonly AuditEntry[] = [
  {
    entry: 4,
    recorded: "2026-05-31T10:00:00.000Z",
    kind: "hold",
    reason: '=legal, "urgent"',
    path: "/a.bin",
    actor: "ada@box",
    note: "case 7",
  },
  { entry: 5, recorded: "2026-05-31T11:00:00.000Z", kind: "run", reason: "ended", run: "run-1" },
];

let line: CommandLine;
beforeEach(async () => {
  line = await CommandLine.open();
});
afterEach(() => line[Symbol.asyncDispose]());

test("audit check ends with 0 when nothing contradicts anything", async () => {
  const api = { checkAudit: () => Promise.resolve(sound) };
  const outcome = await line.run(["audit", "check"], { api });
  expect(outcome.code).toBe(0);
  expect(outcome.stdout).toContain("2 permits, 2 proofs, 0 settled by asking");
  expect(outcome.stdout).toContain("ok: nothing contradicts anything");
});

test("audit check names what it finds and ends with 1", async () => {
  const finding = {
    check: "removal-without-proof",
    count: 12,
    examples: ["run-1 action 3 on hot"],
  };
  const api = {
    checkAudit: () => Promise.resolve({ ...sound, findings: [finding] } as AuditReport),
  };
  const text = await line.run(["audit", "check"], { api });
  expect(text.code).toBe(1);
  expect(text.stdout).toContain("FAILED removal-without-proof: a copy was given up");
  expect(text.stdout).toContain("run-1 action 3 on hot");
  expect(text.stdout).toContain("… and 11 more");
  const json = await line.run(["audit", "check", "-o", "json"], { api });
  expect(json.code).toBe(1);
  expect(JSON.parse(json.stdout)).toMatchObject({ ok: false, findings: [finding] });
});

test("audit lists entries as a table, JSON, lines of JSON or CSV", async () => {
  const asked: AuditRequest[] = [];
  async function* audit(request: AuditRequest) {
    asked.push(request);
    yield* entries.map((entry) => [entry]);
  }
  const run = async (...more: string[]) => {
    const { code, stdout } = await line.run(["audit", ...more], { api: { audit } });
    expect(code).toBe(0);
    return stdout;
  };
  const text = await run("--where", 'kind = "hold"', "--since", "2d", "--run", "run-1");
  expect(asked).toEqual([
    { where: 'kind = "hold"', since: "2026-05-30T00:00:00.000Z", run: "run-1", limit: 100 },
  ]);
  expect(text.split("\n")[0]).toMatch(/^RECORDED +KIND +WHAT +ABOUT +WHO$/);
  expect(text).toMatch(/2026-05-31 10:00:00 +hold +=legal, "urgent" +\/a.bin +ada@box: case 7/);
  expect(JSON.parse(await run("-o", "json"))).toEqual({ schemaVersion: 1, entries });
  const lines = (await run("-o", "ndjson", "--all")).trimEnd().split("\n");
  expect(lines.map((text) => JSON.parse(text) as unknown)).toEqual(entries);
  expect(asked.at(-1)).toEqual({});
  const csv = (await run("-o", "csv")).split("\r\n");
  expect(csv[0]).toBe(
    "entry,recorded,kind,outcome,reason,message,run,action,policy,rule,verb,backend,cid,path,actor,note",
  );
  expect(csv[1]).toContain(`"'=legal, ""urgent""",`);
});

test("a command acts in the name of the person who types it, with the reason given", async () => {
  const seen: unknown[] = [];
  const api = {
    setCordon: () => {
      seen.push(acting());
      return Promise.resolve();
    },
  };
  await line.run(["cordon", "hot", "--reason", "disk swap"], { api });
  expect(seen).toEqual([{ actor: "ada@box", reason: "disk swap" }]);
});
