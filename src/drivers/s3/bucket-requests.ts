import type { StorageClass } from "@aws-sdk/client-s3";
import { hashPiece } from "#content/hash-piece.ts";
import { cancelled } from "#drivers/contract/cancelled.ts";
import type { PutRequest } from "#drivers/s3/bucket-client.ts";
import { s3Error } from "#drivers/s3/s3-error.ts";
import type { S3Options } from "#drivers/s3/s3-options.ts";

export type Signal = AbortSignal | undefined;

const noChoice: Pick<S3Options, "storageClass" | "tags"> = { storageClass: undefined, tags: {} };

/** What the requests to one bucket have in common. */
export class BucketRequests {
  readonly bucket: string;
  readonly options: S3Options;

  constructor(options: S3Options) {
    this.bucket = options.bucket;
    this.options = options;
  }

  /** Where a new object goes, and what is kept with it. */
  target(request: PutRequest): {
    Bucket: string;
    Key: string;
    Metadata: Record<string, string>;
    StorageClass?: StorageClass;
    Tagging?: string;
  } {
    const { storageClass, tags } = request.isRecord === true ? noChoice : this.options;
    const tagging = new URLSearchParams(tags).toString();
    return {
      Bucket: this.bucket,
      Key: request.key,
      Metadata: { ...request.metadata },
      // Services have classes of their own that the SDK does not know.
      ...(storageClass === undefined ? {} : { StorageClass: storageClass as StorageClass }),
      ...(tagging === "" ? {} : { Tagging: tagging }),
    };
  }

  async checksum(bytes: Uint8Array): Promise<{ ChecksumSHA256?: string }> {
    if (!this.options.checksums) return {};
    return { ChecksumSHA256: Buffer.from(await hashPiece(bytes)).toString("base64") };
  }

  condition({ create, replaces }: PutRequest): { IfNoneMatch?: string; IfMatch?: string } {
    if (create) return this.options.conditionalCreate ? { IfNoneMatch: "*" } : {};
    return replaces === undefined ? {} : { IfMatch: replaces };
  }

  error(error: unknown, doing: string, signal: Signal): Error {
    if (signal?.aborted) return cancelled(signal, doing);
    return s3Error(error, `${doing} in bucket ${this.bucket}`);
  }
}

export function withSignal(signal: Signal): { abortSignal?: AbortSignal } {
  return signal === undefined ? {} : { abortSignal: signal };
}
