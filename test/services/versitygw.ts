import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serveBuckets } from "../../scripts/services/serve-buckets.ts";
import { freePort } from "../../scripts/services/server-process.ts";
import { builtVersion, versitygw } from "../../scripts/services/versitygw.ts";
import { Restartable } from "./restartable.ts";

/** A running S3 server whose buckets are folders of `folder`. */
export interface VersitygwServer {
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly folder: string;
  /** Of the process that runs now. */
  readonly pid: number;
  /** Makes a bucket the way an operator of this server would: as a folder. */
  makeBucket(name: string): Promise<void>;
  /** Ends the process at once; what it stored stays. */
  kill(): Promise<void>;
  /** Starts it where it was, with what it stored, unless it still runs. */
  startAgain(): Promise<void>;
  stop(): Promise<void>;
}

/** Why versitygw cannot be started here, or undefined. */
export function versitygwMissing(): string | undefined {
  const found = versitygw.find();
  return found.available ? undefined : `versitygw: ${found.reason}`;
}

/** What answers, as it says, and of which version, as its program says. */
export async function askVersitygw({ endpoint }: VersitygwServer): Promise<string> {
  const { headers } = await fetch(endpoint);
  return `${headers.get("server")} ${builtVersion()}`;
}

/** An S3 server of a test's own: loopback, random port, private folder. */
export async function startVersitygw(
  settings: { readonly keepAlive?: boolean } = {},
): Promise<VersitygwServer> {
  const root = await mkdtemp(join(tmpdir(), "thermocline-s3-"));
  const folder = join(root, "buckets");
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const region = "eu-test-1";
  const [accessKeyId, secretAccessKey] = ["test-access", "test-secret"];
  const running = new Restartable(() =>
    serveBuckets({ root, port, region, accessKeyId, secretAccessKey, ...settings }),
  );
  await running.startAgain();
  return {
    endpoint,
    region,
    accessKeyId,
    secretAccessKey,
    folder,
    get pid() {
      return running.server.pid;
    },
    makeBucket: async (name) => {
      await mkdir(join(folder, name));
    },
    kill: () => running.kill(),
    startAgain: () => running.startAgain(),
    stop: async () => {
      await running.stop();
      await rm(root, { recursive: true, force: true });
    },
  };
}
