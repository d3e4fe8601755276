import { randomUUID } from "node:crypto";
import type { ByteStream } from "#model/driver.ts";

/**
 * A CAR as the one file of an upload form (multipart/form-data, RFC 7578). When the CAR throws,
 * the form has no end, and whoever receives it can tell that it is not whole.
 */
export function carForm(car: ByteStream): {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: ByteStream;
} {
  const boundary = `thermocline-${randomUUID()}`;
  const head =
    `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="content.car"\r\n` +
    "Content-Type: application/vnd.ipld.car\r\n\r\n";
  const body = (async function* (): ByteStream {
    yield Buffer.from(head);
    yield* car;
    yield Buffer.from(`\r\n--${boundary}--\r\n`);
  })();
  return { headers: { "Content-Type": `multipart/form-data; boundary=${boundary}` }, body };
}
