import { createHash, hash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  type MultipartUpload,
  type Part,
  type S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import { EngineError } from "#model/engine-error.ts";
import type {
  PartUpload,
  PutRequest,
  SentChecksum,
  UnfinishedUpload,
} from "#drivers/s3/bucket-client.ts";
import { type BucketRequests, type Signal, withSignal } from "#drivers/s3/bucket-requests.ts";
import { createOverMarker } from "#drivers/s3/create-over-marker.ts";
import { copySource } from "#drivers/s3/copy-source.ts";
import { httpStatus } from "#drivers/s3/s3-error.ts";
import { tooManyParts } from "#drivers/s3/too-many-parts.ts";

const abortTimeoutMs = 30_000;
const abortAttempts = 3;
const abortPauseMs = 200;
/** Of so many unfinished uploads of one key the one that is furthest is gone on with. */
const candidatesMax = 5;

interface UploadName {
  readonly Bucket: string;
  readonly Key: string;
  readonly UploadId: string | undefined;
}

interface CompletedPart {
  readonly PartNumber: number;
  readonly ETag: string | undefined;
  readonly ChecksumSHA256?: string;
}

interface LeftUpload {
  readonly name: UploadName;
  readonly parts: readonly Part[];
}

/** Uploads in parts through the AWS SDK. */
export class AwsUploads {
  readonly #client: S3Client;
  readonly #patient: S3Client;
  readonly #requests: BucketRequests;

  /** `patient` waits for services that put objects together, or copy within themselves. */
  constructor(client: S3Client, patient: S3Client, requests: BucketRequests) {
    this.#client = client;
    this.#patient = patient;
    this.#requests = requests;
  }

  /** Goes on with an upload of the key that somebody left unfinished, or begins one. */
  async begin(request: PutRequest, parts: "sent" | "copied", signal: Signal): Promise<PartUpload> {
    const requests = this.#requests;
    try {
      const isSent = parts === "sent";
      const left = isSent ? await this.#leftOf(request, signal) : undefined;
      if (left !== undefined) return this.#upload(request, left.name, left.parts);
      const command = new CreateMultipartUploadCommand({
        ...requests.target(request),
        ...(requests.options.checksums && isSent ? { ChecksumAlgorithm: "SHA256" as const } : {}),
      });
      const { UploadId } = await this.#client.send(command, withSignal(signal));
      const name = { Bucket: requests.bucket, Key: request.key, UploadId };
      return this.#upload(request, name, []);
    } catch (error) {
      throw requests.error(error, `storing ${request.key}`, signal);
    }
  }

  /** Uploads that were begun and neither completed nor given up, in the order of their keys. */
  async *unfinished(prefix: string, signal: Signal): AsyncGenerator<UnfinishedUpload> {
    const { bucket } = this.#requests;
    const doing = "looking for unfinished uploads";
    try {
      for await (const { Key, UploadId, Initiated } of this.#uploads(prefix, signal)) {
        if (Key === undefined || Initiated === undefined) continue;
        const name = { Bucket: bucket, Key, UploadId };
        yield {
          key: Key,
          begunAt: Initiated,
          parts: async () =>
            (await this.#parts(name, signal)).map(({ Size, LastModified }) => ({
              bytes: Size ?? 0,
              storedAt: LastModified ?? Initiated,
            })),
          abort: () => this.#giveUp(name),
        };
      }
    } catch (error) {
      throw this.#requests.error(error, doing, signal);
    }
  }

  #upload(request: PutRequest, name: UploadName, there: readonly Part[]): PartUpload {
    const doing = `storing ${request.key}`;
    const known = new Map(there.map((part) => [part.PartNumber, part]));
    const parts: CompletedPart[] = [];
    const requests = this.#requests;
    return {
      part: async (number, bytes, signal) => {
        const checksum = await requests.checksum(bytes);
        const stored = known.get(number);
        if (stored !== undefined && holds(stored, bytes, checksum.ChecksumSHA256)) {
          parts.push({ PartNumber: number, ETag: stored.ETag, ...checksum });
          return "there";
        }
        try {
          const numbered = { ...name, PartNumber: number };
          const body = { Body: bytes, ContentLength: bytes.length };
          const command = new UploadPartCommand({ ...numbered, ...checksum, ...body });
          const { ETag } = await this.#client.send(command, withSignal(signal));
          parts.push({ PartNumber: number, ETag, ...checksum });
          return "sent";
        } catch (error) {
          throw requests.error(error, doing, signal);
        }
      },
      copyPart: async (number, source, { start, end }, signal) => {
        try {
          const command = new UploadPartCopyCommand({
            ...name,
            PartNumber: number,
            CopySource: copySource(source),
            CopySourceRange: `bytes=${start}-${end - 1}`,
          });
          const { CopyPartResult } = await this.#patient.send(command, withSignal(signal));
          parts.push({ PartNumber: number, ETag: CopyPartResult?.ETag });
        } catch (error) {
          throw requests.error(error, doing, signal);
        }
      },
      complete: async (signal) => {
        await this.#refuseTaken(request, signal);
        try {
          const Parts = parts.toSorted((a, b) => a.PartNumber - b.PartNumber);
          await createOverMarker(this.#client, requests, request, signal, (condition) => {
            const input = { ...name, ...condition, MultipartUpload: { Parts } };
            const command = new CompleteMultipartUploadCommand(input);
            return this.#patient.send(command, withSignal(signal));
          });
        } catch (error) {
          throw tooManyParts(requests.error(error, doing, signal), parts.length);
        }
        await this.#refuseOthers(request, signal);
        return compositeOf(parts);
      },
      abort: () => this.#giveUp(name),
    };
  }

  /**
   * Some services (Ceph 16) heed no condition when they put parts together. Where others may
   * store under the same name, one more look leaves them a moment instead of the whole upload.
   */
  async #refuseTaken({ key, create }: PutRequest, signal: Signal): Promise<void> {
    const { bucket, options } = this.#requests;
    if (!create || options.layout !== "file") return;
    if ((await this.#metadataAt(key, signal)) === undefined) return;
    throw new EngineError("ALREADY_EXISTS", `somebody else has just stored ${key} in ${bucket}`);
  }

  /** An object has the metadata of whoever began its upload: only with ours is it our copy. */
  async #refuseOthers({ key, shared, metadata }: PutRequest, signal: Signal): Promise<void> {
    if (shared === undefined) return;
    const found = await this.#metadataAt(key, signal);
    if (["cid", "key"].every((name) => found?.[name] === metadata[name])) return;
    const message = `what lies under ${key} in ${this.#requests.bucket} now is another's`;
    throw new EngineError("CONFLICT", message);
  }

  /** Undefined when nothing lies under the key. */
  async #metadataAt(
    key: string,
    signal: Signal,
  ): Promise<Readonly<Record<string, string>> | undefined> {
    const command = new HeadObjectCommand({ Bucket: this.#requests.bucket, Key: key });
    try {
      return (await this.#client.send(command, withSignal(signal))).Metadata ?? {};
    } catch (thrown) {
      if (httpStatus(thrown) === 404) return undefined;
      throw this.#requests.error(thrown, `looking for ${key}`, signal);
    }
  }

  /** Undefined too where the service or the key's rights do not let us look. */
  async #leftOf({ key, shared }: PutRequest, signal: Signal): Promise<LeftUpload | undefined> {
    const { bucket, options } = this.#requests;
    const since = shared === undefined ? new Date(0) : shared.since;
    if (since === undefined) return undefined;
    const found: LeftUpload[] = [];
    try {
      for await (const upload of this.#uploads(key, signal)) {
        const { Key, UploadId, StorageClass, Initiated } = upload;
        if (shared !== undefined && (Initiated === undefined || Initiated < since)) continue;
        const wanted = options.storageClass ?? "STANDARD";
        if (Key !== key || (StorageClass ?? wanted) !== wanted) continue;
        const name = { Bucket: bucket, Key, UploadId };
        found.push({ name, parts: await this.#parts(name, signal) });
        if (found.length === candidatesMax) break;
      }
    } catch (error) {
      // Another upload of the key ended while we looked, or we may not look: then from the start.
      if ([403, 404, 405, 501].includes(httpStatus(error) ?? 0)) return undefined;
      throw error;
    }
    return found.toSorted((a, b) => b.parts.length - a.parts.length)[0];
  }

  async *#uploads(prefix: string, signal: Signal): AsyncGenerator<MultipartUpload> {
    let marker: { KeyMarker?: string; UploadIdMarker?: string } = {};
    for (;;) {
      const command: ListMultipartUploadsCommand = new ListMultipartUploadsCommand({
        Bucket: this.#requests.bucket,
        Prefix: prefix,
        ...marker,
      });
      const page = await this.#client.send(command, withSignal(signal));
      yield* page.Uploads ?? [];
      const next = page.IsTruncated === true ? page.NextKeyMarker : undefined;
      const id = page.NextUploadIdMarker;
      if (next === undefined) return;
      marker = { KeyMarker: next, ...(id === undefined ? {} : { UploadIdMarker: id }) };
    }
  }

  async #parts(name: UploadName, signal: Signal): Promise<readonly Part[]> {
    const parts: Part[] = [];
    let marker: { PartNumberMarker?: string } = {};
    for (;;) {
      const command: ListPartsCommand = new ListPartsCommand({ ...name, ...marker });
      const page = await this.#client.send(command, withSignal(signal));
      parts.push(...(page.Parts ?? []));
      const next = page.IsTruncated === true ? page.NextPartNumberMarker : undefined;
      if (next === undefined) return parts;
      marker = { PartNumberMarker: next };
    }
  }

  /**
   * Aborts until the service says that the upload is gone: a part that arrives meanwhile may
   * need another abort (so the S3 reference on AbortMultipartUpload).
   */
  async #giveUp(name: UploadName): Promise<void> {
    const options = withSignal(AbortSignal.timeout(abortTimeoutMs));
    try {
      for (let attempt = 1; attempt <= abortAttempts; attempt++) {
        await this.#client.send(new AbortMultipartUploadCommand(name), options);
        const { Parts } = await this.#client.send(new ListPartsCommand(name), options);
        if ((Parts ?? []).length === 0) return;
        await sleep(abortPauseMs);
      }
    } catch (error) {
      if (httpStatus(error) === 404) return;
      throw this.#requests.error(error, `giving up ${name.Key}`, undefined);
    }
  }
}

/**
 * Whether a part that is there already is the one we would send. Without a SHA-256 the ETag, an
 * MD5 where the service does not encrypt, says so; it saves the sending and proves nothing: the
 * copy is read back like any other.
 */
function holds(stored: Part, bytes: Uint8Array, sha256: string | undefined): boolean {
  if (stored.ETag === undefined || stored.Size !== bytes.length) return false;
  if (stored.ChecksumSHA256 !== undefined && sha256 !== undefined) {
    return stored.ChecksumSHA256 === sha256;
  }
  return stored.ETag.replaceAll('"', "") === hash("md5", bytes, "hex");
}

/** The SHA-256 over those of the parts, with their number: what the service keeps of an upload. */
function compositeOf(parts: readonly CompletedPart[]): SentChecksum {
  const digest = createHash("sha256");
  for (const { ChecksumSHA256 } of parts.toSorted((a, b) => a.PartNumber - b.PartNumber)) {
    if (ChecksumSHA256 === undefined) return undefined;
    digest.update(ChecksumSHA256, "base64");
  }
  return `${digest.digest("base64")}-${parts.length}`;
}
