import { GetBucketVersioningCommand, type S3Client } from "@aws-sdk/client-s3";
import { type Signal, withSignal } from "#drivers/s3/bucket-requests.ts";
import { httpStatus } from "#drivers/s3/s3-error.ts";

const knownForMs = 60_000;

/** Whether a bucket keeps versions of its keys, or did until that was suspended. */
export class BucketVersioning {
  readonly #client: S3Client;
  readonly #bucket: string;
  #known: { readonly at: number; readonly isOn: boolean } | undefined;

  constructor(client: S3Client, bucket: string) {
    this.#client = client;
    this.#bucket = bucket;
  }

  async isOn(signal: Signal): Promise<boolean> {
    const known = this.#known;
    if (known !== undefined && performance.now() - known.at < knownForMs) return known.isOn;
    const isOn = await this.#ask(signal);
    this.#known = { at: performance.now(), isOn };
    return isOn;
  }

  async #ask(signal: Signal): Promise<boolean> {
    try {
      return (await versioningStatus(this.#client, this.#bucket, signal)) !== undefined;
    } catch (error) {
      // No such thing there, or no right to ask: then what the service says of a key decides.
      const status = httpStatus(error) ?? 0;
      if (status === 501 || (status >= 400 && status < 500 && status !== 429)) return false;
      throw error;
    }
  }
}

/** `Enabled`, `Suspended`, or undefined where the bucket never kept versions: asked anew. */
export async function versioningStatus(
  client: S3Client,
  bucket: string,
  signal: Signal,
): Promise<string | undefined> {
  const command = new GetBucketVersioningCommand({ Bucket: bucket });
  return (await client.send(command, withSignal(signal))).Status;
}
