import { open as openFile, readdir } from "node:fs/promises";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import s3 from "#drivers/s3/s3.ts";
import { kitBackend } from "../conformance/driver-kit/kit-test.ts";
import type { SubjectStorage } from "../conformance/driver-subject.ts";
import { testDriver } from "../conformance/driver-kit.ts";
import {
  askVersitygw,
  startVersitygw,
  type VersitygwServer,
  versitygwMissing,
} from "../services/versitygw.ts";

const missing = versitygwMissing();
let server: VersitygwServer;

beforeAll(async () => {
  if (missing === undefined) server = await startVersitygw();
});

afterAll(async () => {
  if (missing === undefined) await server.stop();
});

testDriver({
  name: "s3 on versitygw v1.7.0",
  definition: s3,
  server: () => askVersitygw(server),
  missing,
  skip: [],
  // Two whole parts and a little: parts have 5 MiB at least.
  largeBytes: 2 * 5 * 1024 * 1024 + 3,
  groupObjects: 32,
  storage,
});

async function storage(): Promise<SubjectStorage> {
  const bucket = `kit-${randomUUID()}`;
  await server.makeBucket(bucket);
  const folder = join(server.folder, bucket);
  return {
    open: (options) =>
      s3.open({
        backend: kitBackend,
        options: s3.options.parse({
          bucket,
          prefix: "store",
          region: server.region,
          endpoint: server.endpoint,
          forcePathStyle: true,
          accessKeyId: server.accessKeyId,
          secretAccessKey: "env:SECRET",
          partSize: "5MiB",
        }),
        capacityBytes: options?.capacityBytes,
        secret: () => Promise.resolve(server.secretAccessKey),
      }),
    corrupt: async ({ locator, bytes }) => {
      const file = await openFile(join(server.folder, locator.slice("s3://".length)), "r+");
      const position = Math.floor(bytes / 2);
      const byte = Buffer.alloc(1);
      await file.read(byte, 0, 1, position);
      byte[0] = (byte[0] ?? 0) ^ 1;
      await file.write(byte, 0, 1, position);
      await file.close();
    },
    leftovers: () => unfinishedParts(folder),
    remove: () => Promise.resolve(),
  };
}

/** What versitygw keeps of uploads that are neither completed nor aborted. */
async function unfinishedParts(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.parentPath.includes(".sgwtmp"))
    .map((entry) => entry.name);
}
