import { afterEach, beforeEach, expect, it } from "vitest";
import type { EngineApi } from "#model/engine-api.ts";
import {
  sampleFailures,
  sampleRepair,
  sampleSuspension,
  sampleTrouble,
} from "../api/sample-values.ts";
import { sampleEngine } from "../api/sample-engine.ts";
import { CommandLine } from "./command-line.ts";

let line: CommandLine;
let asked: unknown[];
beforeEach(async () => {
  line = await CommandLine.open();
  asked = [];
});
afterEach(() => line[Symbol.asyncDispose]());

/** An engine that answers this and notes with what it was asked. */
function answering(name: keyof EngineApi, answer: unknown): { readonly api: Partial<EngineApi> } {
  const method = (...given: unknown[]) => {
    asked.push(...given);
    return Promise.resolve(answer);
  };
  return { api: { [name]: method } };
}

it("lists failures by cause with remedy and command, then one by one", async () => {
  const argv = ["failures", "--backend", "cold", "--cause", "corrupt", "--limit", "1"];
  const { code, stdout } = await line.run(argv, answering("failures", sampleFailures));
  expect(code).toBe(0);
  expect(asked).toEqual([{ backend: "cold", cause: "CORRUPT", offset: 0, limit: 1 }]);
  expect(stdout).toContain(
    "CORRUPT: 1 action\n  for example: found corrupt\n  remedy: check the disk\n" +
      "  then: thermocline retry --cause CORRUPT\n",
  );
  expect(stdout).toMatch(/^bafkreiobject +demote +cold +CORRUPT, quarantined +3 .* run-1#0 /m);
});

it("gives programs the whole report, and people the command for the next page", async () => {
  const more = { ...sampleFailures, total: 12 };
  const { stdout, stderr } = await line.run(
    ["failures", "ls", "--offset", "3", "-o", "json"],
    answering("failures", more),
  );
  expect(JSON.parse(stdout)).toMatchObject({
    schemaVersion: 1,
    total: 12,
    offset: 3,
    causes: [{ code: "CORRUPT", count: 1, remedy: "check the disk" }],
    failures: [{ cid: "bafkreiobject", failures: 3, sequence: 0 }],
  });
  expect(stderr).toContain("4 of 12 shown; the next ones with --offset 4");
});

it("shows under a cause what a command wrote before it failed, without its control characters", async () => {
  const output = "scanning 3\ncannot reach \u001B[31mclamd";
  const [cause] = sampleFailures.causes;
  const [failure] = sampleFailures.failures;
  const { stdout } = await line.run(
    ["failures"],
    answering("failures", {
      total: 1,
      causes: [{ ...cause, code: "REFUSED", output }],
      failures: [{ ...failure, step: "act", verb: "command", backend: undefined, output }],
    }),
  );
  expect(stdout).toContain(
    "\n  it wrote:\n    | scanning 3\n    | cannot reach \uFFFD[31mclamd\n  remedy: ",
  );
  expect(stdout).toMatch(/^bafkreiobject +command +CORRUPT/m);
});

it("dismisses failures that are named, with a reason", async () => {
  const dismissed = answering("dismissFailures", { dismissed: 3 });
  const argv = ["failures", "dismiss", "--run", "run-3", "--reason", "webhook gone"];
  const { stdout } = await line.run(argv, dismissed);
  expect(asked).toEqual([{ run: "run-3" }, "webhook gone"]);
  expect(stdout).toBe("3 actions dismissed: they are listed again if they fail again\n");
});

it("lists quarantines with the command that releases them", async () => {
  const { stdout } = await line.run(["quarantine"], answering("failures", sampleFailures));
  expect(asked).toEqual([{ quarantined: true, offset: 0, limit: 50 }]);
  expect(stdout).toContain("then: thermocline quarantine release --cause CORRUPT --reason …");
  const none = { total: 0, causes: [], failures: [] };
  const empty = await line.run(["quarantine", "ls"], answering("failures", none));
  expect(empty.stdout).toBe("nothing is in quarantine\n");
});

it("releases a quarantine by object, by cause, or all of it when that is said", async () => {
  const released = answering("releaseQuarantine", { released: 2 });
  const one = await line.run(["quarantine", "release", "/a", "--reason", "mended"], released);
  expect(one.stdout).toBe("2 actions released: plans try them again\n");
  await line.run(["quarantine", "release", "--cause", "forbidden", "--reason", "r"], released);
  await line.run(["quarantine", "release", "--all", "--reason", "r"], released);
  expect(asked).toEqual([{ object: "/a" }, "mended", { cause: "FORBIDDEN" }, "r", {}, "r"]);
});

it.each([
  [["quarantine", "release", "--reason", "r"], "say what is released"],
  [["quarantine", "release", "/a", "--all", "--reason", "r"], "say what is released"],
  [["quarantine", "release", "/a"], "--reason"],
  [["failures", "dismiss", "--reason", "r"], "say what is dismissed"],
  [["suspensions", "release", "cool"], "--reason"],
  [["failures", "--offset", "-1"], "whole number, 0 or above"],
])("refuses %j and changes nothing", async (argv, reason) => {
  const outcome = await line.run(argv);
  expect(outcome).toMatchObject({ code: 64, stdout: "" });
  expect(outcome.stderr).toContain(reason);
});

it("lists suspended policies and ends a suspension with a reason", async () => {
  const listed = await line.run(["suspensions"], answering("suspensions", [sampleSuspension]));
  expect(listed.stdout).toMatch(/^cool +.* ago +30 of its last 50 actions failed$/m);
  const argv = ["suspensions", "release", "cool", "--reason", "mended"];
  const ended = await line.run(argv, answering("releaseSuspension", undefined));
  expect(asked).toEqual(["cool", "mended"]);
  expect(ended.stdout).toBe("policy cool goes on\n");
});

it("lists repairs, and shouts where no intact copy is left", async () => {
  const lost = { ...sampleRepair, path: "/gone", copies: 0 };
  const { stdout, stderr } = await line.run(
    ["repairs"],
    answering("repairs", [sampleRepair, lost]),
  );
  expect(stdout).toMatch(/^\/a +hot +corrupt .* run-2 +open$/m);
  expect(stdout).toMatch(/^\/gone .* LOST: no intact copy is left$/m);
  // Nobody looks at them here: what is made good stays listed.
  expect(stderr).toContain("until one runs, they stay listed");
});

it("shows trouble in the status, worst first", async () => {
  const status = await sampleEngine().status();
  const { stdout } = await line.run(["status"], answering("status", status));
  expect(status.trouble).toEqual(sampleTrouble);
  const words = ["LOST", "repairs", "failing", "suspended", "out"];
  const found = stdout.split("\n").flatMap((row) => words.filter((word) => row.startsWith(word)));
  expect(found).toEqual(words);
  expect(stdout).toMatch(/^failing +4 actions, 1 of them quarantined: thermocline failures$/m);
  expect(stdout).toMatch(/^out +backend hot since .*: no route to host$/m);
});

it.each([
  [{ verified: 5, absent: 0, corrupt: 0 }, 0, "5 verified, 0 absent, 0 corrupt, in"],
  [{ verified: 4, absent: 0, corrupt: 0 }, 3, "0 corrupt, 1 not checked, in"],
  [{ verified: 3, absent: 0, corrupt: 1 }, 1, "1 corrupt, 1 not checked, in"],
])("verify that found %j of 5 copies exits with %d", async (found, expected, words) => {
  const step = { type: "summary", copies: 5, total: 5, bytes: 9, elapsedMs: 1, ...found } as const;
  const verify = async function* () {
    yield await Promise.resolve(step);
  };
  const { code, stdout } = await line.run(["verify"], { api: { verify } });
  expect(code).toBe(expected);
  expect(stdout).toContain(words);
});
