import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { startServer, type ServerProcess } from "./server-process.ts";
import { versitygw } from "./versitygw.ts";

/** Starts an S3 server on loopback that keeps each bucket as a folder of `<root>/buckets`. */
export async function serveBuckets(place: {
  readonly root: string;
  readonly port: number;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Whether it answers several requests over one connection; it does not by itself. */
  readonly keepAlive?: boolean;
}): Promise<ServerProcess> {
  const found = versitygw.find();
  if (!found.available) throw new Error(found.reason);
  const { root, port, region, accessKeyId, secretAccessKey, keepAlive = false } = place;
  const [folder, versions] = [join(root, "buckets"), join(root, "versions")];
  for (const path of [folder, versions]) await mkdir(path, { recursive: true });
  const options = ["--port", `127.0.0.1:${port}`, "--region", region, "--quiet"];
  if (keepAlive) options.push("--keep-alive");
  const posix = ["posix", "--versioning-dir", versions, folder];
  return await startServer(found.path, [...options, "--health", "/health", ...posix], {
    folder: root,
    environment: { ROOT_ACCESS_KEY_ID: accessKeyId, ROOT_SECRET_ACCESS_KEY: secretAccessKey },
    answers: async () => (await fetch(`http://127.0.0.1:${port}/health`)).ok,
  });
}
