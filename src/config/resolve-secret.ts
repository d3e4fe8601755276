import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { EngineError } from "#model/engine-error.ts";
import { parseSecretReference, secretHint } from "#model/secret-reference.ts";

export interface SecretContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Relative paths in `file:` references start here, and commands run here. */
  readonly directory: string;
}

const commandTimeoutMs = 30_000;
const secretBytesMax = 64 * 1024;

/**
 * Fetches what a reference stands for, without its trailing line end. Errors name the
 * reference, never what was found.
 */
export async function resolveSecret(reference: string, context: SecretContext): Promise<string> {
  const parsed = parseSecretReference(reference);
  if (parsed === undefined) {
    throw new EngineError("INVALID_DOCUMENT", "a secret was given directly instead of by name", {
      hint: secretHint,
    });
  }
  const text = await fetchers[parsed.scheme](parsed.target, context);
  const secret = text.replace(/\r?\n$/, "");
  if (secret === "") {
    throw new EngineError("UNAUTHENTICATED", `the secret ${reference} is empty`, {
      hint: `see what ${reference} refers to on this machine`,
    });
  }
  return secret;
}

/** Like `resolveSecret`, but gives back text that is no reference: for URLs. */
export async function resolveReference(text: string, context: SecretContext): Promise<string> {
  return parseSecretReference(text) === undefined ? text : resolveSecret(text, context);
}

const fetchers = { env: fromEnvironment, file: fromFile, command: fromCommand } as const;

function fromEnvironment(name: string, { env }: SecretContext): Promise<string> {
  const value = Object.hasOwn(env, name) ? env[name] : undefined;
  if (value !== undefined) return Promise.resolve(value);
  throw new EngineError("UNAUTHENTICATED", `the environment variable ${name} is not set`, {
    hint: `set ${name}, or change the reference env:${name}`,
  });
}

async function fromFile(path: string, { directory }: SecretContext): Promise<string> {
  try {
    return await readFile(resolve(directory, path), "utf8");
  } catch (cause) {
    const reason = cause instanceof Error && "code" in cause ? String(cause.code) : "unreadable";
    throw new EngineError("UNAUTHENTICATED", `the secret file ${path} cannot be read: ${reason}`, {
      cause,
      hint: "create it, readable by this user only (mode 600)",
    });
  }
}

async function fromCommand(line: string, { directory, env }: SecretContext): Promise<string> {
  const [program = "", ...words] = splitWords(line);
  try {
    const { stdout } = await promisify(execFile)(program, words, {
      cwd: directory,
      env: { ...env },
      timeout: commandTimeoutMs,
      maxBuffer: secretBytesMax,
    });
    return stdout;
  } catch (cause) {
    // The error of a failed command carries its output, which may be a secret: it is dropped.
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "a signal";
    throw new EngineError("UNAUTHENTICATED", `the secret command ${program} failed (${code})`, {
      hint: `run it by hand: ${line}`,
    });
  }
}

/** Words separated by blanks; quotes keep blanks. There is no shell and no expansion. */
function splitWords(line: string): readonly string[] {
  const words = line.match(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g) ?? [];
  return words.map((word) => word.replaceAll(/"([^"]*)"|'([^']*)'/g, "$1$2"));
}
