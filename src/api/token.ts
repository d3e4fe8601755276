import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { readFile, rm, writeFile } from "node:fs/promises";
import { EngineError } from "#model/engine-error.ts";

const bytesOfToken = 32;
const lengthMin = 16;

/** Compares bearer tokens in constant time. */
export class TokenGuard {
  readonly #digest: Buffer;

  constructor(token: string) {
    this.#digest = digestOf(token);
  }

  /** Whether an `Authorization` header carries the token. */
  admits(header: string | undefined): boolean {
    const token = /^Bearer +(\S+)$/i.exec(header ?? "")?.[1];
    // Digests have one length, so that the comparison takes the same time for every token.
    return timingSafeEqual(digestOf(token ?? ""), this.#digest) && token !== undefined;
  }
}

/**
 * Reads the token from its file; makes file and token when there is none (mode 0600). A token
 * that is given replaces the one in the file, so that commands on this machine know it too.
 */
export async function readOrCreateToken(file: string, given?: string): Promise<string> {
  const token = given?.trim() ?? randomBytes(bytesOfToken).toString("base64url");
  checkToken(token, "the configured token");
  try {
    if (given !== undefined) await rm(file, { force: true });
    await writeFile(file, `${token}\n`, { flag: "wx", mode: 0o600 });
  } catch (error) {
    // A token that exists stays valid over restarts; what else is wrong shows when reading.
    if (!isCode(error, "EEXIST")) throw unreadable(file, error);
  }
  return await readToken(file);
}

/** Reads the token a controller wrote, or that somebody put there as a secret. */
export async function readToken(file: string): Promise<string> {
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    throw unreadable(file, error);
  });
  const token = text.trim();
  checkToken(token, file);
  return token;
}

function checkToken(token: string, where: string): void {
  if (/^\S+$/.test(token) && token.length >= lengthMin) return;
  throw new EngineError("UNREADABLE", `${where} holds no usable token`, {
    hint: `a token is one line of at least ${lengthMin} characters without spaces`,
  });
}

function unreadable(file: string, cause: unknown): EngineError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new EngineError("UNREADABLE", `the token file ${file} cannot be used: ${reason}`, {
    hint: "run this as the user who runs the controller, or point to a readable copy of the token",
    cause,
  });
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}

function digestOf(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
