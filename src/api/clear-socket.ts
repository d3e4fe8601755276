import { lstat, mkdir, rm } from "node:fs/promises";
import { createConnection } from "node:net";
import { dirname } from "node:path";
import { EngineError } from "#model/engine-error.ts";

/** Removes a socket whose process has died; LOCKED when one lives, USAGE when it is no socket. */
export async function clearSocket(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return;
  if (!found.isSocket()) {
    throw new EngineError("USAGE", `${path} exists and is not a socket`, {
      hint: "move it away, or set another `api.listen`",
    });
  }
  if (await takesConnections(path)) {
    throw new EngineError("LOCKED", `another process listens at ${path}`, {
      hint: "stop it, or set another `api.listen`",
    });
  }
  await rm(path, { force: true });
}

async function takesConnections(path: string): Promise<boolean> {
  return await new Promise<boolean>((resolve) => {
    const connection = createConnection(path);
    connection.once("connect", () => resolve(true));
    connection.once("error", () => resolve(false));
    connection.once("connect", () => connection.destroy());
  });
}
