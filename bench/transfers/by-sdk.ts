import { createHash, type Hash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Readable } from "node:stream";
import { GetObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { partBytes, partsAtOnce } from "./servers.ts";

const key = "object";

/** What one writes with the SDK to upload a large file. */
export async function uploadFile(sdk: S3Client, bucket: string, path: string): Promise<void> {
  await upload(sdk, bucket, createReadStream(path));
}

/** The same for whoever wants to know that what arrived is what was sent: hashes both. */
export async function uploadFileChecked(
  sdk: S3Client,
  bucket: string,
  path: string,
): Promise<void> {
  await uploadChecked(sdk, bucket, createReadStream(path));
}

/** The same of bytes that come from elsewhere. */
export async function uploadChecked(sdk: S3Client, bucket: string, bytes: Readable): Promise<void> {
  const { hashing, hash } = hashInPassing();
  await upload(sdk, bucket, bytes.pipe(hashing));
  const stored = createHash("sha256");
  for await (const piece of await download(sdk, bucket)) stored.update(piece as Buffer);
  if (!hash.digest().equals(stored.digest())) throw new Error("what arrived is not what was sent");
}

/** Hashes what passes. */
export function hashInPassing(): { readonly hashing: Transform; readonly hash: Hash } {
  const hash = createHash("sha256");
  const hashing = new Transform({
    transform: (bytes: Buffer, _encoding, done) => {
      hash.update(bytes);
      done(undefined, bytes);
    },
  });
  return { hashing, hash };
}

/** What one writes with the SDK to download a large object. */
export async function downloadFile(sdk: S3Client, bucket: string, path: string): Promise<void> {
  await pipeline(await download(sdk, bucket), createWriteStream(path));
}

/** The same, where what came and what the file holds afterwards are hashed. */
export async function downloadFileChecked(
  sdk: S3Client,
  bucket: string,
  path: string,
): Promise<void> {
  const came = createHash("sha256");
  const hashing = async function* (source: AsyncIterable<Buffer>) {
    for await (const bytes of source) {
      came.update(bytes);
      yield bytes;
    }
  };
  await pipeline(await download(sdk, bucket), hashing, createWriteStream(path));
  if (!came.digest().equals(await sha256Of(path))) throw new Error("the file is not what came");
}

/** SHA-256 of a file, read as a stream. */
export async function sha256Of(path: string): Promise<Buffer> {
  const hash = createHash("sha256");
  for await (const bytes of createReadStream(path, { highWaterMark: 1024 * 1024 })) {
    hash.update(bytes as Buffer);
  }
  return hash.digest();
}

/** Uploads a stream in parts. */
export async function upload(sdk: S3Client, bucket: string, body: Readable): Promise<void> {
  const params = { Bucket: bucket, Key: key, Body: body };
  await new Upload({ client: sdk, params, partSize: partBytes, queueSize: partsAtOnce }).done();
}

/** The bytes of the large object. */
export async function download(sdk: S3Client, bucket: string): Promise<Readable> {
  const { Body } = await sdk.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  return Body as Readable;
}
