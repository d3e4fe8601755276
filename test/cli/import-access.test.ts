import { execFileSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { EngineApi } from "#model/engine-api.ts";
import { CommandLine } from "./command-line.ts";

let line: CommandLine;
beforeEach(async () => {
  line = await CommandLine.open();
});
afterEach(() => line[Symbol.asyncDispose]());

const fileOf = (name: string) => join(line.cwd, name);

describe("import access", () => {
  const seen: { batch: string; lines: string[]; options: unknown }[] = [];
  const importAccesses: EngineApi["importAccesses"] = async (batch, lines, options) => {
    seen.push({ batch, lines: await Array.fromAsync(lines), options });
    const counts = { applied: 1, unknown: 2, lines: 6, earlier: 3, ignored: 1, malformed: 2 };
    const kept = { examples: ["line 4: noise"], malformedFile: "/kept" };
    return { ...counts, ...kept, format: "combined", repeated: false };
  };
  const run = (...argv: string[]) =>
    line.run(["import", "access", ...argv], { api: { importAccesses } });

  it("refuses what cannot be read twice, and says how to give it", async () => {
    execFileSync("mkfifo", [fileOf("pipe")]);
    const pipe = await run("pipe");
    expect(pipe.code).toBe(64);
    expect(pipe.stderr).toContain("pipe is no file but a pipe, socket or device");
    expect(pipe.stderr).toContain("thermocline import access - < pipe");
    expect((await run(".")).stderr).toContain(". is a folder, no access log");
    expect((await run("none")).stderr).toContain("the access log none cannot be read");
  });

  it("takes a log that has grown, was renamed or packed for the same one", async () => {
    seen.length = 0;
    await writeFile(fileOf("a.log"), "#Version: 1.0\nfirst\n");
    await run("a.log");
    await writeFile(fileOf("b.log"), "#Version: 1.0\r\nfirst\r\nsecond\r\n");
    await run("b.log");
    await writeFile(fileOf("c.log.gz"), gzipSync("#Version: 1.0\nfirst\nsecond\nthird"));
    await run("c.log.gz");
    expect(new Set(seen.map(({ batch }) => batch)).size).toBe(1);
    expect(seen.at(-1)?.lines).toEqual(["#Version: 1.0", "first", "second", "third"]);
    await writeFile(fileOf("d.log"), "#Version: 1.0\nother\n");
    await run("d.log", "--format", "cloudfront", "--prefix", "/x");
    expect(new Set(seen.map(({ batch }) => batch)).size).toBe(2);
    expect(seen.map(({ options }) => options)).toEqual([
      ...seen.slice(1).map(() => ({ format: "auto" })),
      { format: "cloudfront", prefix: "/x" },
    ]);
  });

  it("leaves a line that is still being written, and says what became of the others", async () => {
    seen.length = 0;
    await writeFile(fileOf("a.log"), "first\nsec");
    const { stdout, stderr, code } = await run("a.log");
    expect(seen[0]?.lines).toEqual(["first"]);
    expect(stderr).toContain("is left for the next import");
    expect(stderr).toContain("malformed: line 4: noise");
    expect(stderr).toContain("malformed lines are kept in /kept");
    expect([code, stdout]).toEqual([
      0,
      "6 lines: 1 read counted, 2 of unknown objects, 1 no reads, 2 malformed; " +
        "3 lines before them had been counted\n",
    ]);
    await writeFile(fileOf("a.ndjson"), '{"path":"/a"}');
    await run("a.ndjson");
    expect(seen[1]?.lines).toEqual(['{"path":"/a"}']);
  });

  it("refuses a packed log that is broken, and a format that it does not know", async () => {
    await writeFile(fileOf("a.gz"), gzipSync("first\n".repeat(1_000)).subarray(0, 20));
    const broken = await run("a.gz");
    expect([broken.code, broken.stderr.includes("a.gz cannot be read")]).toEqual([1, true]);
    expect((await run("a.gz", "--format", "iis")).code).toBe(64);
  });
});
