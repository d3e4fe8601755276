import { GetObjectLockConfigurationCommand, type S3Client } from "@aws-sdk/client-s3";
import type { BucketClient } from "#drivers/s3/bucket-client.ts";
import { type Signal, withSignal } from "#drivers/s3/bucket-requests.ts";
import { httpStatus } from "#drivers/s3/s3-error.ts";

type KeepsLocks = Awaited<ReturnType<BucketClient["keepsLocks"]>>;

const knownForMs = 60_000;

/** Whether a bucket has S3 Object Lock: where it has not, no object of it needs to be asked. */
export class BucketLocking {
  readonly #client: S3Client;
  readonly #bucket: string;
  #known: { readonly at: number; readonly keepsLocks: KeepsLocks } | undefined;

  constructor(client: S3Client, bucket: string) {
    this.#client = client;
    this.#bucket = bucket;
  }

  async keepsLocks(signal: Signal): Promise<KeepsLocks> {
    const known = this.#known;
    if (known !== undefined && performance.now() - known.at < knownForMs) return known.keepsLocks;
    const keepsLocks = await this.#ask(signal);
    this.#known = { at: performance.now(), keepsLocks };
    return keepsLocks;
  }

  async #ask(signal: Signal): Promise<KeepsLocks> {
    try {
      const command = new GetObjectLockConfigurationCommand({ Bucket: this.#bucket });
      const answer = await this.#client.send(command, withSignal(signal));
      return answer.ObjectLockConfiguration?.ObjectLockEnabled === "Enabled" ? "yes" : "no";
    } catch (error) {
      const status = httpStatus(error) ?? 0;
      const name = error instanceof Error ? error.name : "";
      // A service without locks, or a bucket without: services call that by these names.
      if (status === 501 || name === "ObjectLockConfigurationNotFoundError") return "no";
      if (status >= 400 && status < 500 && status !== 429) return "unknown";
      throw error;
    }
  }
}
