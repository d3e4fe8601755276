import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EngineApi } from "#model/engine-api.ts";
import { EngineError } from "#model/engine-error.ts";
import type { Role } from "#model/node.ts";
import type { CommandIo, Sink } from "#cli/command-io.ts";
import { runCommandLine } from "#cli/run-command-line.ts";

/** What one command line did. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandLineOptions {
  /** The methods of the engine that the command may call; any other one fails the command. */
  readonly api?: Partial<EngineApi>;
  readonly env?: Readonly<Record<string, string>>;
  /** Standard error and input are a terminal. */
  readonly isTerminal?: boolean;
  /** What a person types, or a pipe delivers. */
  readonly input?: string;
  readonly signal?: AbortSignal;
  readonly onNode?: (roles: readonly Role[]) => void;
}

/** Runs command lines in a folder of its own, with a clock that only sleeping moves. */
export class CommandLine implements AsyncDisposable {
  readonly cwd: string;

  private constructor(cwd: string) {
    this.cwd = cwd;
  }

  static async open(): Promise<CommandLine> {
    return new CommandLine(await mkdtemp(join(tmpdir(), "cli-")));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.cwd, { recursive: true, force: true });
  }

  async run(argv: readonly string[], options: CommandLineOptions = {}): Promise<Outcome> {
    const stdout = memorySink(false);
    const stderr = memorySink(options.isTerminal ?? false);
    let ms = Date.parse("2026-06-01T00:00:00Z");
    const io: CommandIo = {
      stdout,
      stderr,
      stdin: Object.assign(streamOf(options.input ?? ""), { isTTY: options.isTerminal ?? false }),
      env: options.env ?? {},
      cwd: this.cwd,
      hostname: "box",
      user: "ada",
      clock: {
        now: () => new Date(ms),
        monotonicMs: () => ms,
        sleep: (duration) => {
          ms += duration;
          return Promise.resolve();
        },
      },
      signal: options.signal ?? new AbortController().signal,
    };
    const code = await runCommandLine(argv, io, {
      local: () => Promise.resolve({ api: only(options.api ?? {}), close }),
      snapshots: () => Promise.resolve({ api: only(options.api ?? {}), close }),
      node: (_config, _io, { roles }) => {
        options.onNode?.(roles);
        return Promise.resolve({ address: "unix:/run/api.sock", close });
      },
    });
    return { code, stdout: stdout.text(), stderr: stderr.text() };
  }
}

function close(): Promise<void> {
  return Promise.resolve();
}

function only(api: Partial<EngineApi>): EngineApi {
  return new Proxy(api, {
    get: (target, name) =>
      Reflect.get(target, name) ??
      (() => {
        throw new EngineError("NOT_SUPPORTED", `this test does not expect ${String(name)}()`);
      }),
  }) as EngineApi;
}

function memorySink(isTTY: boolean): Sink & { text(): string } {
  const parts: Buffer[] = [];
  return {
    isTTY,
    columns: 200,
    write: (data) => void parts.push(Buffer.from(data)),
    drain: () => Promise.resolve(),
    text: () => Buffer.concat(parts).toString(),
  };
}

async function* streamOf(text: string): AsyncGenerator<string> {
  await Promise.resolve();
  if (text !== "") yield text;
}
