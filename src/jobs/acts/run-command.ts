import { spawn } from "node:child_process";
import { once } from "node:events";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { OutsideBatch } from "#jobs/acts/act-outside.ts";
import { LastLines } from "#jobs/acts/last-lines.ts";
import { EngineError } from "#model/engine-error.ts";
import type { OutsideCommand } from "#model/outside.ts";

/** The code with which programs say that a later try may succeed (EX_TEMPFAIL of sysexits). */
const temporaryFailure = 75;

/**
 * Runs a command with the objects as JSON lines on its standard input. No shell sees any of it.
 * Exit code 0 is success, 75 asks for another try, and everything else is a failure, which tells
 * what the command wrote last to its standard error; nothing else that it prints is kept.
 */
export async function runCommand(
  name: string,
  { argv, directory, environment, timeoutMs }: OutsideCommand,
  { id, rule, run, objects }: OutsideBatch,
  signal: AbortSignal,
): Promise<string> {
  const [program = "", ...words] = argv;
  const timeout = AbortSignal.timeout(timeoutMs);
  const named = { THERMOCLINE_BATCH: id, THERMOCLINE_RULE: rule, THERMOCLINE_RUN: run };
  const child = spawn(program, words, {
    cwd: directory,
    env: { ...environment, ...named },
    stdio: ["pipe", "ignore", "pipe"],
    shell: false,
    signal: AbortSignal.any([signal, timeout]),
    killSignal: "SIGKILL",
  });
  const lines = objects.map((object) => `${JSON.stringify(object)}\n`);
  // A command need not read what it is given: that its input ends early says nothing.
  const fed = pipeline(Readable.from(lines), child.stdin).catch(() => undefined);
  const said = new LastLines(child.stderr, environment);
  try {
    const [code, killed] = (await once(child, "exit")) as [number | null, string | null];
    await fed;
    if (code === 0) return `command ${name} exited with 0`;
    await said.end();
    const how = code === null ? `was ended by ${killed}` : `exited with ${code}`;
    throw new EngineError(
      code === temporaryFailure ? "UNAVAILABLE" : "REFUSED",
      `command ${name} ${how}`,
      { details: said.details() },
    );
  } catch (thrown) {
    signal.throwIfAborted();
    if (thrown instanceof EngineError) throw thrown;
    if (timeout.aborted) {
      await said.end();
      throw new EngineError("REFUSED", `command ${name} took longer than ${timeoutMs} ms`, {
        hint: "give it more time: timeout: under commands: in thermocline.yaml",
        details: said.details(),
      });
    }
    const code = thrown instanceof Error && "code" in thrown ? ` (${String(thrown.code)})` : "";
    throw new EngineError("NOT_FOUND", `command ${name} cannot be run: ${program}${code}`);
  } finally {
    // A process that the command left behind may hold the other end.
    child.stderr.destroy();
  }
}
