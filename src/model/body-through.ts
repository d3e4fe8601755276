import type { ByteStream, LeftBytes, WriteBody } from "#model/driver.ts";

/**
 * A body whose bytes pass through something on their way to the target, as `stream` and as `resume`
 * gives them. What an earlier try has left at the target comes from there, and passes by.
 */
export function bodyThrough(
  body: WriteBody,
  through: (stream: ByteStream) => ByteStream,
): WriteBody {
  const { resume } = body;
  return {
    ...body,
    stream: through(body.stream),
    ...(resume && { resume: (left: LeftBytes) => restThrough(resume(left), left.bytes, through) }),
  };
}

/** Passes the first bytes on as they are, and all that follow through something. */
async function* restThrough(
  stream: ByteStream,
  leftBytes: number,
  through: (stream: ByteStream) => ByteStream,
): ByteStream {
  const pieces = stream[Symbol.asyncIterator]();
  let left = leftBytes;
  let first: Uint8Array | undefined;
  async function* rest(): ByteStream {
    if (first !== undefined) yield first;
    for (let next = await pieces.next(); next.done !== true; next = await pieces.next()) {
      yield next.value;
    }
  }
  try {
    while (left > 0) {
      const next = await pieces.next();
      if (next.done === true) return;
      const known = Math.min(left, next.value.length);
      left -= known;
      yield next.value.subarray(0, known);
      if (known < next.value.length) first = next.value.subarray(known);
    }
    yield* through(rest());
  } finally {
    await pieces.return?.();
  }
}
