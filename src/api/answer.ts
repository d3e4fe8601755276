import { CID } from "multiformats/cid";
import * as raw from "multiformats/codecs/raw";
import { sha256 } from "multiformats/hashes/sha2";
import { eventStream } from "#api/event-stream.ts";
import type { Answer } from "#api/route.ts";
import type { ToldEvent } from "#model/engine-event.ts";
import { EngineError } from "#model/engine-error.ts";
import { problemOf } from "#api/problem.ts";

/** Header with the CID of an answer's bytes. */
const cidHeader = "Thermocline-Cid";

/** Cuts the connection of an answer that cannot go on, and has told why to whom it concerns. */
export type BreakOff = (error: EngineError) => void;

/** Turns what a handler returned into the response that its route declares. */
export async function answerWith(
  answer: Answer,
  result: unknown,
  breakOff?: BreakOff,
): Promise<Response> {
  switch (answer.kind) {
    case "none":
      return new Response(null, { status: 204 });
    case "text":
      return textResponse("text/plain; version=0.0.4; charset=utf-8", String(result));
    case "arrow":
      return await arrowResponse(result);
    case "bytes":
      return await bytesResponse(answer.type, result, breakOff);
    case "ndjson":
      return await linesResponse(result);
    case "events":
      return eventStream(result as AsyncIterable<ToldEvent>);
    case "json":
      return textResponse("application/json", JSON.stringify(result));
    default:
      return answer satisfies never;
  }
}

function textResponse(type: string, text: string): Response {
  return new Response(text, { headers: { "Content-Type": type } });
}

async function arrowResponse(bytes: unknown): Promise<Response> {
  if (!(bytes instanceof Uint8Array)) throw new EngineError("INTERNAL", "a segment has no bytes");
  const cid = CID.createV1(raw.code, await sha256.digest(bytes));
  return new Response(new Uint8Array(bytes), {
    headers: {
      "Content-Type": "application/vnd.apache.arrow.stream",
      [cidHeader]: cid.toString(),
    },
  });
}

/**
 * A stream that fails after it has begun breaks off: bytes have no place for words. The server
 * would append the message to them, so it hears of no error: its connection is cut.
 */
async function bytesResponse(
  type: string,
  pieces: unknown,
  breakOff: BreakOff | undefined,
): Promise<Response> {
  if (!isAsyncIterable(pieces)) throw new EngineError("INTERNAL", "a stream has no bytes");
  const iterator = pieces[Symbol.asyncIterator]();
  let first: IteratorResult<unknown> | undefined = await iterator.next();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = first ?? (await iterator.next());
        first = undefined;
        if (done === true) controller.close();
        else controller.enqueue(value as Uint8Array);
      } catch (thrown) {
        if (breakOff === undefined) throw thrown;
        breakOff(EngineError.from(thrown));
      }
    },
    async cancel() {
      await iterator.return?.();
    },
  });
  return new Response(body, { headers: { "Content-Type": type } });
}

async function linesResponse(values: unknown): Promise<Response> {
  if (!isAsyncIterable(values)) throw new EngineError("INTERNAL", "a stream has no items");
  const iterator = values[Symbol.asyncIterator]();
  // The first item is awaited here, so that a call that fails at once gets its proper status.
  let next: Promise<IteratorResult<unknown>> | undefined = Promise.resolve(await iterator.next());
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const item = next ?? iterator.next();
      next = undefined;
      try {
        const { done, value } = await item;
        if (done === true) controller.close();
        else controller.enqueue(encoder.encode(`${JSON.stringify(value)}\n`));
      } catch (thrown) {
        controller.enqueue(encoder.encode(`${JSON.stringify(exitError(thrown))}\n`));
        controller.close();
      }
    },
    // The caller went away: the engine stops what it does for it.
    async cancel() {
      await iterator.return?.();
    },
  });
  return new Response(body, {
    headers: { "Content-Type": "application/x-ndjson", "X-Accel-Buffering": "no" },
  });
}

/** The last line of a stream that fails after it has begun. */
function exitError(thrown: unknown): object {
  const error = EngineError.from(thrown);
  return {
    type: "exit_error",
    code: error.exitCode,
    message: error.message,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    problem: problemOf(error),
  };
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value;
}
