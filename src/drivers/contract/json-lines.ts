import type { ByteStream } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";

const lineBytesMax = 4 * 1024 * 1024;

/** The JSON values of a stream, one a line, each as soon as its line is there. */
export async function* jsonLines(stream: ByteStream, doing: string): AsyncGenerator {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const piece of stream) {
    rest += decoder.decode(piece, { stream: true });
    const lines = rest.split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > lineBytesMax) throw malformed(doing);
    for (const line of lines) if (line.trim() !== "") yield parse(line, doing);
  }
  rest += decoder.decode();
  if (rest.trim() !== "") yield parse(rest, doing);
}

function parse(line: string, doing: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch (cause) {
    throw malformed(doing, cause);
  }
}

function malformed(doing: string, cause?: unknown): EngineError {
  return new EngineError("UNAVAILABLE", `${doing}: the answer is not made of lines of JSON`, {
    hint: "check the address of this backend and what stands between it and this machine",
    cause,
  });
}
