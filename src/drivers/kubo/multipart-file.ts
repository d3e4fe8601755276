import { randomUUID } from "node:crypto";
import type { ByteStream } from "#model/driver.ts";

/**
 * The headers and the body of a request that carries one file, as it comes. When the file ends
 * with an error, so does the body, before the mark by which the other side knows its end.
 */
export function multipartFile(file: ByteStream): {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: ByteStream;
} {
  const boundary = `thermocline-${randomUUID()}`;
  return {
    headers: { "Content-Type": `multipart/form-data; boundary=${boundary}` },
    body: parts(file, boundary),
  };
}

async function* parts(file: ByteStream, boundary: string): ByteStream {
  const head = [
    `--${boundary}`,
    'Content-Disposition: form-data; name="file"; filename="object.car"',
    "Content-Type: application/octet-stream",
  ];
  yield Buffer.from(`${head.join("\r\n")}\r\n\r\n`);
  yield* file;
  yield Buffer.from(`\r\n--${boundary}--\r\n`);
}
