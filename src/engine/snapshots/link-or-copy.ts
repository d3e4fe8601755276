import { copyFile, link } from "node:fs/promises";

const noLinks = new Set(["EPERM", "ENOTSUP", "ENOSYS", "EMLINK", "EXDEV", "EOPNOTSUPP"]);

/** A second name for a file, or a copy of it where the file system has no links. */
export async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if (!lacksLinks(error)) throw error;
    await copyFile(from, to);
  }
}

/** Whether a link failed because the file system has none, or no more of them. */
export function lacksLinks(error: unknown): boolean {
  return noLinks.has((error as NodeJS.ErrnoException).code ?? "");
}
