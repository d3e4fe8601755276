import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Where drivers are tested. */
const folder = fileURLToPath(new URL("../../test/drivers/", import.meta.url));

/** The test files that run the driver kit on each of these drivers: those that import both. */
export async function kitFiles(
  drivers: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const files = (await readdir(folder)).filter((name) => name.endsWith(".test.ts")).toSorted();
  const texts = new Map<string, string>();
  for (const file of files)
    texts.set(join(folder, file), await readFile(join(folder, file), "utf8"));
  const kits = [...texts].filter(([, text]) => text.includes('conformance/driver-kit.ts"'));
  return new Map(
    drivers.map((driver) => {
      const imported = new RegExp(`"#drivers/(${driver}/)?${driver}\\.ts"`);
      return [driver, kits.filter(([, text]) => imported.test(text)).map(([file]) => file)];
    }),
  );
}
