import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";

/** Replaces a small file of the store itself, atomically and durably. */
export function replaceFile(path: string, text: string): void {
  // Named by process: what a crash leaves is overwritten by the next, and never piles up.
  const temporary = `${path}.${process.pid}.new`;
  try {
    const descriptor = openSync(temporary, "w");
    try {
      writeFileSync(descriptor, text);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}
