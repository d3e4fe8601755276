import { createReadStream } from "node:fs";
import type { CommandIo } from "#cli/command-io.ts";

/** Sends a file of this machine to standard output. */
export async function writeFileOut(path: string, io: CommandIo): Promise<void> {
  for await (const bytes of createReadStream(path)) {
    if (io.signal.aborted) return;
    io.stdout.write(bytes as Buffer);
    await io.stdout.drain();
  }
}
