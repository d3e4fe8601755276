import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { resolveReference, resolveSecret } from "#config/resolve-secret.ts";
import { EngineError } from "#model/engine-error.ts";

let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "secret-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const context = () => ({ env: { KEY: "abc", EMPTY: "", PATH: process.env["PATH"] }, directory });

describe("resolveSecret", () => {
  it("reads variables, files beside the configuration, and commands", async () => {
    await writeFile(join(directory, "token"), "from file\n");
    expect(await resolveSecret("env:KEY", context())).toBe("abc");
    expect(await resolveSecret("file:token", context())).toBe("from file");
    expect(await resolveSecret(`command:printf '%s-%s' "a b" c`, context())).toBe("a b-c");
  });

  it("runs commands without a shell", async () => {
    expect(await resolveSecret("command:printf %s $KEY;date", context())).toBe("$KEY;date");
  });

  it.each([
    ["env:NONE", "NONE is not set"],
    ["env:EMPTY", "env:EMPTY is empty"],
    ["file:none", "ENOENT"],
    ["command:false", "failed (1)"],
    ["command:no-such-program-here", "ENOENT"],
  ])("says what is wrong with %s", async (reference, message) => {
    const error = await resolveSecret(reference, context()).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(EngineError);
    expect((error as EngineError).message).toContain(message);
    expect((error as EngineError).exitCode).toBe(12);
  });

  it("keeps what a failing command printed out of its error", async () => {
    const script = join(directory, "leak.mjs");
    await writeFile(script, "console.log('hunter2'); console.error('hunter2'); process.exit(3)");
    const line = `command:${process.execPath} ${script}`;
    const error = (await resolveSecret(line, context()).catch(
      (thrown: unknown) => thrown,
    )) as EngineError;
    expect(`${error.message} ${error.hint} ${String(error.cause)}`).not.toContain("hunter2");
  });

  it("does not take a literal for a secret, unless it may be a URL", async () => {
    const error = await resolveSecret("hunter2", context()).catch((thrown: unknown) => thrown);
    expect((error as EngineError).message).not.toContain("hunter2");
    expect(await resolveReference("redis://host", context())).toBe("redis://host");
    expect(await resolveReference("env:KEY", context())).toBe("abc");
  });
});
