import { randomUUID } from "node:crypto";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { z } from "zod";
import { EngineError } from "#model/engine-error.ts";

const stateSchema = z.object({
  schemaVersion: z.literal(1),
  /** `unix:/path` or `http://host:port`. */
  address: z.string(),
  pid: z.int(),
  tokenFile: z.string(),
  version: z.string(),
  /** Differs at each start; the living controller answers `/version` with the same one. */
  instance: z.string(),
  startedAt: z.string(),
});

/** What a running controller leaves in its data directory for others to find it. */
export type ControllerState = Readonly<z.output<typeof stateSchema>>;

/** Reads a state file; undefined when there is none. */
export async function readControllerState(file: string): Promise<ControllerState | undefined> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return undefined;
    throw new EngineError("UNREADABLE", `the state file ${file} cannot be read`, {
      hint: "run this as the user who runs the controller",
      cause,
    });
  }
  try {
    return stateSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new EngineError("UNREADABLE", `${file} is not the state file of a controller`, {
      hint: "stop the controller if one runs, remove the file, and start the controller again",
      cause,
    });
  }
}

/** Writes a state file so that nobody ever sees half of it; readable by its owner only. */
export async function writeControllerState(file: string, state: ControllerState): Promise<void> {
  const draft = `${file}.${randomUUID()}`;
  try {
    await writeFile(draft, `${JSON.stringify(state, undefined, 2)}\n`, { flag: "wx", mode: 0o600 });
    await rename(draft, file);
  } catch (cause) {
    await rm(draft, { force: true });
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new EngineError("UNREADABLE", `the state file cannot be written: ${reason}`, { cause });
  }
}

/** Removes a state file, unless another controller has written its own in the meantime. */
export async function removeControllerState(file: string, instance: string): Promise<void> {
  const state = await readControllerState(file).catch(() => undefined);
  if (state?.instance === instance) await rm(file, { force: true });
}
