import { access, constants, mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { EngineError } from "#model/engine-error.ts";

/** Makes the folder of a file that is to be written, and sees that it may be written there. */
export async function makeFolderOf(
  file: string,
  hint = "name a place that this user may write to",
): Promise<void> {
  const folder = dirname(file);
  try {
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK);
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? ` (${String(cause.code)})` : "";
    throw new EngineError("UNREADABLE", `${file} cannot be written: not into ${folder}${code}`, {
      hint,
      cause,
    });
  }
}
