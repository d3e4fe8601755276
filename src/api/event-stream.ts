import type { ToldEvent } from "#model/engine-event.ts";

/** Proxies close connections on which nothing moves. */
const heartbeatEveryMs = 15_000;
/** After a broken connection a reader comes back so soon. */
const retryMs = 2_000;

/** Events as Server-Sent Events: named by their type, with their id, and a sign of life. */
export function eventStream(
  events: AsyncIterable<ToldEvent>,
  heartbeatMs: number = heartbeatEveryMs,
): Response {
  const iterator = events[Symbol.asyncIterator]();
  const encoder = new TextEncoder();
  let heart: NodeJS.Timeout | undefined;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(encoder.encode(`retry: ${retryMs}\n\n`));
      heart = setInterval(() => {
        controller.enqueue(encoder.encode(": still here\n\n"));
      }, heartbeatMs);
    },
    async pull(controller) {
      const { done, value } = await iterator.next();
      if (done === true) {
        clearInterval(heart);
        controller.close();
      } else {
        controller.enqueue(encoder.encode(messageOf(value)));
      }
    },
    async cancel() {
      clearInterval(heart);
      await iterator.return?.();
    },
  });
  return new Response(body, {
    headers: {
      "Content-Type": "text/event-stream",
      "Cache-Control": "no-store",
      "X-Accel-Buffering": "no",
    },
  });
}

function messageOf(told: ToldEvent): string {
  return `id: ${told.id}\nevent: ${told.event.type}\ndata: ${JSON.stringify(told)}\n\n`;
}
