import { createHash } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";

const filesAtOnce = 8;

/**
 * What anyone would write who has files to copy: read, hash, write beside, rename; then perhaps
 * read and hash again, as the engine does.
 */
export async function bareCopy(folder: string, count: number, readBack: boolean): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) {
      const from = join(folder, `${next}`);
      next += 1;
      const bytes = await readFile(from);
      createHash("sha256").update(bytes).digest();
      await writeFile(`${from}.part`, bytes);
      await rename(`${from}.part`, `${from}.copy`);
      if (readBack) {
        createHash("sha256")
          .update(await readFile(`${from}.copy`))
          .digest();
      }
    }
  };
  await Promise.all(Array.from({ length: filesAtOnce }, lane));
}
