import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  RestoreObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import type { ByteStream, DriverContext } from "#model/driver.ts";
import { clientConfig, silenceLimitsOf } from "#drivers/s3/aws-client-config.ts";
import { notTooSlow } from "#drivers/contract/not-too-slow.ts";
import { archiveOf } from "#drivers/s3/archive-of.ts";
import { AwsUploads } from "#drivers/s3/aws-uploads.ts";
import type {
  BucketClient,
  ByteRange,
  CopyRequest,
  HeadResult,
  KeyVersion,
  ListPage,
  ListRequest,
  LocksShown,
  ObjectLock,
  PartUpload,
  PutRequest,
  RestoreRequest,
  SentChecksum,
  UnfinishedUpload,
} from "#drivers/s3/bucket-client.ts";
import { BucketRequests, type Signal, withSignal } from "#drivers/s3/bucket-requests.ts";
import { BucketLocking } from "#drivers/s3/bucket-locking.ts";
import { BucketVersioning } from "#drivers/s3/bucket-versioning.ts";
import { createOverMarker } from "#drivers/s3/create-over-marker.ts";
import { copySource } from "#drivers/s3/copy-source.ts";
import { keyVersions } from "#drivers/s3/key-versions.ts";
import { locksShown } from "#drivers/s3/locks-shown.ts";
import { objectLockOf } from "#drivers/s3/object-lock.ts";
import { httpStatus, notS3, s3Error } from "#drivers/s3/s3-error.ts";
import { signByChecksum } from "#drivers/s3/sign-by-checksum.ts";
import { versionLock } from "#drivers/s3/version-lock.ts";
import type { S3Options } from "#drivers/s3/s3-options.ts";

/** A bucket that answered a moment ago is still there. */
const bucketSeenForMs = 30_000;

/** A bucket through the AWS SDK. */
export class AwsBucketClient implements BucketClient {
  server: string;
  readonly #client: S3Client;
  /** For requests that a service may work on for minutes without a word. */
  readonly #patient: S3Client;
  readonly #options: S3Options;
  readonly #bucket: string;
  readonly #requests: BucketRequests;
  readonly #uploads: AwsUploads;
  readonly #versioning: BucketVersioning;
  readonly #locking: BucketLocking;
  readonly #silenceMs: number;
  #bucketSeenAt = -Infinity;

  constructor(
    context: DriverContext<S3Options>,
    silence = silenceLimitsOf(context.options.timeout),
  ) {
    const { options } = context;
    this.#silenceMs = silence.usual;
    this.#options = options;
    this.#bucket = options.bucket;
    this.server = `S3 at ${options.endpoint ?? options.region ?? "AWS"}`;
    this.#client = this.#prepared(new S3Client(clientConfig(context, silence.usual)));
    this.#patient = this.#prepared(new S3Client(clientConfig(context, silence.assembling)));
    this.#requests = new BucketRequests(options);
    this.#uploads = new AwsUploads(this.#client, this.#patient, this.#requests);
    this.#versioning = new BucketVersioning(this.#client, this.#bucket);
    this.#locking = new BucketLocking(this.#client, this.#bucket);
  }

  #prepared(client: S3Client): S3Client {
    client.middlewareStack.add(
      (next) => async (args) => {
        const result = await next(args);
        const { headers } = result.response as { headers?: Readonly<Record<string, string>> };
        if (headers?.["server"] !== undefined) this.server = headers["server"];
        return result;
      },
      { step: "deserialize", name: "rememberServer" },
    );
    signByChecksum(client);
    client.middlewareStack.add(
      (next, { commandName }) =>
        async (args) => {
          try {
            return await next(args);
          } catch (thrown) {
            // A service that says when to come back means everybody: our caller must hear it now,
            // not after the SDK's own tries. Only a listing cannot begin again in its middle.
            const error = s3Error(thrown, `calling the bucket ${this.#bucket}`);
            const told = error.code === "RATE_LIMITED" && error.retryAfterMs !== undefined;
            throw told && commandName !== "ListObjectsV2Command" ? error : thrown;
          }
        },
      // Around the SDK's reading of the answer, which throws, and within its retries.
      { step: "deserialize", priority: "high", name: "passOnRetryAfter" },
    );
    return client;
  }

  async head(key: string, signal: Signal, versionId?: string): Promise<HeadResult | undefined> {
    try {
      const place = { Bucket: this.#bucket, Key: key, ...versionOf(versionId) };
      const command = new HeadObjectCommand(place);
      const answer = await this.#client.send(command, withSignal(signal));
      if (answer.ETag === undefined) throw notS3(`looking for ${key}`);
      this.#bucketSeenAt = performance.now();
      return {
        bytes: answer.ContentLength ?? 0,
        versionId: answer.VersionId,
        archive: archiveOf(answer),
        lock: objectLockOf(answer),
        // Ceph compares conditions with what stands between the quotes; others take both.
        etag: answer.ETag.replaceAll('"', ""),
        modifiedAt: answer.LastModified,
        metadata: answer.Metadata ?? {},
      };
    } catch (error) {
      // An answer to HEAD has no body that says why: absent key, absent bucket or wrong key.
      if (httpStatus(error) !== undefined) await this.#checkBucket(signal);
      if (httpStatus(error) === 404) return undefined;
      throw this.#requests.error(error, `looking for ${key}`, signal);
    }
  }

  async keepsVersions(signal: Signal): Promise<boolean> {
    try {
      return await this.#versioning.isOn(signal);
    } catch (error) {
      throw this.#requests.error(error, "asking for versions", signal);
    }
  }

  async keepsLocks(signal: Signal): ReturnType<BucketClient["keepsLocks"]> {
    try {
      return await this.#locking.keepsLocks(signal);
    } catch (error) {
      throw this.#requests.error(error, "asking whether the bucket locks objects", signal);
    }
  }

  async locksShown(key: string, signal: Signal): Promise<LocksShown> {
    try {
      return await locksShown(this.#client, { bucket: this.#bucket, key }, signal);
    } catch (error) {
      throw this.#requests.error(error, `asking whether locks on ${key} are shown`, signal);
    }
  }

  async versions(key: string, signal: Signal): Promise<readonly KeyVersion[]> {
    try {
      return await keyVersions(this.#client, this.#bucket, key, signal);
    } catch (error) {
      throw this.#requests.error(error, `looking for the versions of ${key}`, signal);
    }
  }

  async versionLock(
    key: string,
    versionId: string,
    signal: Signal,
  ): Promise<ObjectLock | undefined> {
    try {
      return await versionLock(this.#client, { bucket: this.#bucket, key, versionId }, signal);
    } catch (error) {
      throw this.#requests.error(error, `looking for locks on ${key}`, signal);
    }
  }

  async checksum(key: string, signal: Signal): Promise<string | undefined> {
    try {
      const options = { ChecksumMode: "ENABLED" } as const;
      const command = new HeadObjectCommand({ Bucket: this.#bucket, Key: key, ...options });
      return (await this.#client.send(command, withSignal(signal))).ChecksumSHA256;
    } catch (error) {
      throw this.#requests.error(error, `looking for the checksum of ${key}`, signal);
    }
  }

  async restore(key: string, { days, tier }: RestoreRequest, signal: Signal): Promise<void> {
    try {
      const command = new RestoreObjectCommand({
        Bucket: this.#bucket,
        Key: key,
        RestoreRequest: {
          ...(days === undefined ? {} : { Days: days }),
          GlacierJobParameters: { Tier: tier },
        },
      });
      await this.#client.send(command, withSignal(signal));
    } catch (error) {
      if (error instanceof Error && error.name === "RestoreAlreadyInProgress") return;
      throw this.#requests.error(error, `restoring ${key}`, signal);
    }
  }

  async *get(key: string, range: ByteRange | undefined, signal: Signal): ByteStream {
    const doing = `reading ${key}`;
    try {
      const command = new GetObjectCommand({
        Bucket: this.#bucket,
        Key: key,
        ...(range === undefined ? {} : { Range: `bytes=${range.start}-${range.end - 1}` }),
      });
      const { Body } = await this.#client.send(command, withSignal(signal));
      // In Node the body is always a readable stream of buffers.
      if (Body === undefined) return;
      yield* notTooSlow(Body as unknown as ByteStream, this.#silenceMs, doing);
    } catch (error) {
      throw this.#requests.error(error, doing, signal);
    }
  }

  async list(request: ListRequest, signal: Signal): Promise<ListPage> {
    try {
      const command = new ListObjectsV2Command({
        Bucket: this.#bucket,
        Prefix: request.prefix,
        // Copies lie in no folder below the prefix.
        ...(request.folders ? {} : { Delimiter: "/" }),
        MaxKeys: request.limit,
        ...(request.after === undefined ? {} : { StartAfter: request.after }),
        ...(request.token === undefined ? {} : { ContinuationToken: request.token }),
      });
      const answer = await this.#client.send(command, withSignal(signal));
      if (answer.Name === undefined && answer.IsTruncated === undefined) {
        throw notS3(`listing ${this.#bucket}`);
      }
      this.#bucketSeenAt = performance.now();
      const entries = (answer.Contents ?? []).flatMap(({ Key, Size }) =>
        Key === undefined ? [] : [{ key: Key, bytes: Size ?? 0 }],
      );
      const folders = (answer.CommonPrefixes ?? []).flatMap(({ Prefix }) => Prefix ?? []);
      return { entries, folders, token: answer.NextContinuationToken };
    } catch (error) {
      throw this.#requests.error(
        error,
        `listing ${request.prefix === "" ? "keys" : request.prefix}`,
        signal,
      );
    }
  }

  async put(request: PutRequest, bytes: Uint8Array, signal: Signal): Promise<SentChecksum> {
    try {
      const checksum = await this.#requests.checksum(bytes);
      const input = {
        ...this.#requests.target(request),
        ...checksum,
        Body: bytes,
        ContentLength: bytes.length,
      };
      await createOverMarker(this.#client, this.#requests, request, signal, (condition) => {
        const command = new PutObjectCommand({ ...input, ...condition });
        return this.#client.send(command, withSignal(signal));
      });
      return checksum.ChecksumSHA256;
    } catch (error) {
      throw this.#requests.error(error, `storing ${request.key}`, signal);
    }
  }

  async copy(request: CopyRequest, signal: Signal): Promise<void> {
    try {
      const { tags, checksums } = this.#options;
      const input = {
        ...this.#requests.target(request),
        CopySource: copySource(request.source),
        MetadataDirective: "REPLACE" as const,
        ...(Object.keys(tags).length === 0 ? {} : { TaggingDirective: "REPLACE" as const }),
        ...(checksums ? { ChecksumAlgorithm: "SHA256" as const } : {}),
      };
      await createOverMarker(this.#client, this.#requests, request, signal, (condition) => {
        const command = new CopyObjectCommand({ ...input, ...condition });
        return this.#patient.send(command, withSignal(signal));
      });
    } catch (error) {
      throw this.#requests.error(error, `copying ${request.source.key}`, signal);
    }
  }

  begin(request: PutRequest, parts: "sent" | "copied", signal: Signal): Promise<PartUpload> {
    return this.#uploads.begin(request, parts, signal);
  }

  unfinished(prefix: string, signal: Signal): AsyncIterable<UnfinishedUpload> {
    return this.#uploads.unfinished(prefix, signal);
  }

  async remove(
    key: string,
    { versionId, etag }: Parameters<BucketClient["remove"]>[1],
    signal: Signal,
  ): Promise<void> {
    try {
      const condition = etag === undefined ? {} : { IfMatch: etag };
      const place = { Bucket: this.#bucket, Key: key, ...versionOf(versionId) };
      const command = new DeleteObjectCommand({ ...place, ...condition });
      await this.#client.send(command, withSignal(signal));
    } catch (error) {
      throw this.#requests.error(error, `removing ${key}`, signal);
    }
  }

  close(): void {
    this.#client.destroy();
    this.#patient.destroy();
  }

  async #checkBucket(signal: Signal): Promise<void> {
    if (performance.now() - this.#bucketSeenAt < bucketSeenForMs) return;
    const { prefix } = this.#options;
    const probe = { prefix, folders: false, after: undefined, token: undefined, limit: 1 };
    await this.list(probe, signal);
  }
}

function versionOf(versionId: string | undefined): { readonly VersionId?: string } {
  return versionId === undefined ? {} : { VersionId: versionId };
}
