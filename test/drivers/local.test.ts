import { mkdtemp, open as openFile, readdir, rm, statfs } from "node:fs/promises";
import { release, tmpdir, type as osType } from "node:os";
import { join } from "node:path";
import local from "#drivers/local/local.ts";
import { kitBackend } from "../conformance/driver-kit/kit-test.ts";
import { testDriver } from "../conformance/driver-kit.ts";
import type { SubjectStorage } from "../conformance/driver-subject.ts";

for (const durability of ["full", "none"] as const) {
  testDriver({
    name: `local (durability ${durability})`,
    definition: local,
    server: fileSystem,
    missing: undefined,
    skip: [],
    largeBytes: 5 * 1024 * 1024 + 3,
    storage: () => storage(durability),
  });
}

/** Which kernel and file system keep the stores of this test; the type as statfs(2) numbers it. */
async function fileSystem(): Promise<string> {
  const { type } = await statfs(tmpdir());
  return `${osType()} ${release()}, file system type 0x${type.toString(16)}`;
}

async function storage(durability: "full" | "none"): Promise<SubjectStorage> {
  const folder = await mkdtemp(join(tmpdir(), "thermocline-local-"));
  return {
    open: (options) =>
      local.open({
        backend: kitBackend,
        options: local.options.parse({ path: folder, durability }),
        capacityBytes: options?.capacityBytes,
        secret: () => Promise.reject(new Error("no secret is needed")),
      }),
    corrupt: async ({ locator, bytes }) => {
      const file = await openFile(join(folder, locator), "r+");
      const position = Math.floor(bytes / 2);
      const byte = Buffer.alloc(1);
      await file.read(byte, 0, 1, position);
      byte[0] = (byte[0] ?? 0) ^ 1;
      await file.write(byte, 0, 1, position);
      await file.close();
    },
    leftovers: () => readdir(join(folder, "incoming")),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
