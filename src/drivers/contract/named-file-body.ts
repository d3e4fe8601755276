import type { ByteStream, NamedBody } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import { stopOnAbort } from "#drivers/contract/stop-on-abort.ts";

/** The bytes of a named file as they come; CORRUPT when there are fewer or more than was said. */
export async function* namedFileBody(
  name: string,
  { bytes, stream }: NamedBody,
  signal: AbortSignal | undefined,
): ByteStream {
  let received = 0;
  for await (const chunk of stopOnAbort(stream, signal, `writing ${name}`)) {
    received += chunk.length;
    if (received > bytes) throw wrongLength(name, bytes, "the stream has more");
    yield chunk;
  }
  if (received < bytes) throw wrongLength(name, bytes, `the stream ended after ${received}`);
}

function wrongLength(name: string, bytes: number, found: string): EngineError {
  return new EngineError("CORRUPT", `${name} has ${bytes} bytes, ${found}`, {
    hint: "nothing was stored; send it again",
  });
}
