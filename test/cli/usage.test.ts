import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadRegistryFolder } from "#model/registry-folder.ts";
import type { CommandDefinition } from "#cli/command.ts";
import { CommandLine } from "./command-line.ts";

let line: CommandLine;
beforeEach(async () => {
  line = await CommandLine.open();
});
afterEach(() => line[Symbol.asyncDispose]());

describe("global options", () => {
  it.each([
    [["-o", "json", "version"]],
    [["--output=json", "version"]],
    [["-ojson", "-q", "version"]],
    [["--progress", "none", "-q", "version", "-o", "json"]],
  ])("may stand before the command: %j", async (argv) => {
    const { code, stdout } = await line.run(argv);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ schemaVersion: 1 });
  });

  it("may stand within the words of a command, and before its default one", async () => {
    const api = { runs: () => Promise.resolve([]) };
    for (const argv of [
      ["-o", "json", "runs", "-q", "ls"],
      ["runs", "-o", "json", "ls"],
      ["-o", "json", "runs"],
      ["runs", "-o", "json"],
    ]) {
      const { code, stdout } = await line.run(argv, { api });
      expect([code, JSON.parse(stdout)]).toEqual([0, { schemaVersion: 1, runs: [] }]);
    }
  });

  it.each(["https://user:hunter2@host", "user:hunter2@host:7411", "https://host/?token=hunter2"])(
    "no message repeats what may be secret in the address of a controller: %s",
    async (url) => {
      const { code, stdout, stderr } = await line.run(["status", "--api-url", url]);
      expect(code).toBe(64);
      expect(stderr).toContain("the address of a controller holds no user, password or query");
      expect(stdout + stderr).not.toContain("hunter2");
      const { code: taken, stderr: told } = await line.run([
        "status",
        "--api-url",
        "http://host:1",
      ]);
      expect([taken, told]).toEqual([expect.any(Number), expect.stringContaining("needs a token")]);
    },
  );

  it("before the command count like those behind it", async () => {
    await writeFile(join(line.cwd, "other.yaml"), "apiVersion: thermocline/v1\ndata: ./there\n");
    const argv = ["-c", "other.yaml", "--log-level", "warn", "config", "view", "--origin"];
    const { stdout } = await line.run(argv);
    expect(stdout).toMatch(/^data +\S+ +other.yaml:2:\d+$/m);
    expect(stdout).toMatch(/^log.level +warn +flag --log-level$/m);
  });

  it("are checked where they stand before the command, too", async () => {
    const { code, stderr } = await line.run(["-o", "xml", "version"]);
    expect(code).toBe(64);
    expect(stderr).toContain("Allowed choices are text, json, github");
  });
});

describe("wrong usage", () => {
  it.each([
    [["--where", "x", "plan"], "unknown option '--where'", "stand behind it"],
    [["plan", "--jsn"], "unknown option '--jsn'", "`thermocline plan --help`"],
    [["plan", "--json"], "unknown option '--json'", "write -o json"],
    [["objects", "shw"], "unknown command 'shw' of thermocline objects", "Did you mean show?"],
    [["import", "dri", "x"], "unknown command 'dri'", "Did you mean dir?"],
    [["objets", "ls"], "unknown command 'objets'", "Did you mean objects?"],
    [["policies"], "unknown command 'policies'", "Did you mean validate or plan?"],
    [["query", "SELECT 1"], "unknown command 'query'", "Did you mean `thermocline index query`?"],
    [["import-dir", "x"], "'import-dir'", "Did you mean `thermocline import dir`?"],
    [["objects", "list"], "'list' of thermocline objects", "Did you mean ls?"],
    [["index", "quer"], "'quer' of thermocline index", "Did you mean query?"],
    [["index", "gc"], "'gc' of thermocline index", "Did you mean `thermocline index snapshot gc`?"],
    [["index", "snapshot", "crate"], "of thermocline index snapshot", "Did you mean create?"],
    [["sched"], "unknown command 'sched'", "Did you mean schedule?"],
    [["ls"], "unknown command 'ls'", "or another?"],
    [["xyzzy"], "unknown command 'xyzzy'", "hint: `thermocline --help`"],
    [["help", "objets"], "unknown command 'objets'", "Did you mean objects?"],
    [["objets", "--help"], "unknown command 'objets'", "Did you mean objects?"],
    [["help", "index", "quer"], "'quer' of thermocline index", "Did you mean query?"],
    [["runs", "shw", "-h"], "'shw' of thermocline runs", "Did you mean show?"],
    [["--outptu", "json", "plan"], "unknown option '--outptu'", "Did you mean --output?"],
    [["--verison"], "unknown option '--verison'", "Did you mean --version?"],
    [["objects", "--whre", "x"], "unknown option '--whre'", "Did you mean --where?"],
    [["plan", "--log-levl", "warn"], "unknown option '--log-levl'", "Did you mean --log-level?"],
    [["priority", "run-1", "abc"], "'abc' is invalid", "`thermocline priority --help`"],
  ])("of %j says what is wrong and where to look", async (argv, message, hint) => {
    const { code, stdout, stderr } = await line.run(argv);
    expect([code, stdout]).toEqual([64, ""]);
    const [first, second, ...more] = stderr.trimEnd().split("\n");
    expect(first).toMatch(/^error: /);
    expect(first).toContain(message);
    expect(second).toMatch(/^hint: /);
    expect(second).toContain(hint);
    expect(more).toEqual([]);
  });

  it.each([[["-c", "plan"]], [["import"]]])("of %j shows the commands there are", async (argv) => {
    const { code, stderr } = await line.run(argv);
    expect(code).toBe(64);
    expect(stderr).toContain("Commands:\n");
    expect(stderr).toMatch(/\nerror: thermocline( import)? is followed by a command\nhint: .+\n$/);
  });

  it("is none where help is asked for, whatever the depth of the command", async () => {
    for (const argv of [
      ["help", "index", "query"],
      ["help", "-q", "index", "query"],
      ["index", "help", "query"],
      ["index", "query", "--help"],
    ]) {
      const { code, stdout } = await line.run(argv);
      expect([code, stdout.split("\n")[0]]).toEqual([
        0,
        "Usage: thermocline index query [options] <sql>",
      ]);
    }
    for (const [argv, usage] of [
      [["help"], "Usage: thermocline [options] [command]"],
      [["help", "runs"], "Usage: thermocline runs [options] [command]"],
      [["help", "backends"], "Usage: thermocline backends [options] [command]"],
    ] as const) {
      const { code, stdout } = await line.run(argv);
      expect([code, stdout.split("\n")[0]]).toEqual([0, usage]);
    }
  });

  it("has a JSON line with the remedy wherever JSON was asked for", async () => {
    for (const [argv, env] of [
      [["-o", "json", "plann"], {}],
      [["plann"], { THERMOCLINE_OUTPUT: "json" }],
    ] as const) {
      const { stderr } = await line.run(argv, { env });
      expect(JSON.parse(stderr.trimEnd().split("\n").at(-1) ?? "")).toEqual({
        schemaVersion: 1,
        type: "exit_error",
        code: 64,
        error: "USAGE",
        message: "unknown command 'plann'",
        hint: "Did you mean plan? `thermocline --help` lists what it takes",
      });
    }
  });
});

it("shows an example of itself in the help of each command", async () => {
  const commands = await loadRegistryFolder<CommandDefinition>(
    new URL("../../src/cli/commands/", import.meta.url),
  );
  for (const { words, isDefault, examples } of commands.values()) {
    const typed = isDefault === true ? words.slice(0, -1) : words;
    expect(examples.join("\n")).toContain(`thermocline ${typed.join(" ")}`);
  }
  const { stdout } = await line.run(["doctor", "--help"]);
  expect(stdout).toContain("\nExamples:\n  thermocline doctor\n");
});
