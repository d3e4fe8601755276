import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { serveBuckets } from "../services/serve-buckets.ts";
import { freePort, type ServerProcess } from "../services/server-process.ts";
import { versitygw } from "../services/versitygw.ts";
import type { ServerPlace } from "./server-place.ts";
import { TcpProxy } from "./tcp-proxy.ts";

/** An S3 server with one bucket, whose objects are files of this machine. */
export interface BucketPlace extends ServerPlace {
  /** What nodes talk to, through `link`. */
  readonly endpoint: string;
  /** The folder of the bucket: a file for each object, named by its key. */
  readonly folder: string;
}

/** Credentials of a server that only this run knows, on loopback. */
export const bucketAccess = { accessKeyId: "chaos", secretAccessKey: "chaos-on-loopback" } as const;
export const bucketRegion = "eu-5";

/** An S3 server below `folder` with the bucket `name`; undefined where none is installed. */
export async function bucketPlace(folder: string, name: string): Promise<BucketPlace | undefined> {
  const found = versitygw.find();
  if (!found.available) return undefined;
  const root = join(folder, "s3");
  const bucket = join(root, "buckets", name);
  await mkdir(bucket, { recursive: true });
  const port = await freePort();
  const link = await TcpProxy.open(() => port);
  let server: ServerProcess | undefined;
  const stop = async (how: "kill" | "clean"): Promise<void> => {
    await (how === "kill" ? server?.kill() : server?.stop());
    server = undefined;
  };
  return {
    endpoint: `http://127.0.0.1:${link.port}`,
    folder: bucket,
    link,
    start: async () => {
      server ??= await serveBuckets({ root, port, region: bucketRegion, ...bucketAccess });
    },
    stop,
    abandon: () => server?.abandon(),
    close: async () => {
      await link.close();
      await stop("clean");
    },
  };
}
