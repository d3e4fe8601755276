import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cephRgw } from "../../scripts/services/ceph-rgw.ts";
import { freePort } from "../../scripts/services/server-process.ts";
import { serveCeph } from "../../scripts/services/serve-ceph.ts";

/** A running Ceph with its S3 gateway. */
export interface CephServer {
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  stop(): Promise<void>;
}

/** Why Ceph cannot be started here, or undefined. */
export function cephMissing(): string | undefined {
  const found = cephRgw.find();
  return found.available ? undefined : `ceph-rgw: ${found.reason}`;
}

/** Its gateway says nothing of itself over S3: the program that was started does. */
export function askCeph(): Promise<string> {
  const found = cephRgw.find();
  return Promise.resolve(found.available ? `Ceph RGW ${found.version}` : found.reason);
}

/** A Ceph of a test's own: loopback, random ports, everything in memory. */
export async function startCeph(): Promise<CephServer> {
  const root = await mkdtemp(join(tmpdir(), "thermocline-ceph-"));
  const port = await freePort();
  const [accessKeyId, secretAccessKey] = ["test-access", "test-secret"];
  const server = await serveCeph({ root, port, accessKeyId, secretAccessKey });
  return {
    endpoint: `http://127.0.0.1:${port}`,
    region: "default",
    accessKeyId,
    secretAccessKey,
    stop: async () => {
      await server.stop();
      await rm(root, { recursive: true, force: true });
    },
  };
}
