import { once } from "node:events";
import {
  Agent,
  createServer,
  type IncomingMessage,
  request as send,
  type Server,
  type ServerResponse,
} from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { ByteStream } from "#model/driver.ts";

/** Bodies on their way to the service, or on their way back. */
export type Direction = "sent" | "received";

/** What happens to bodies, from `after` bytes on, counted over all that go in that direction. */
export interface Spoiling {
  readonly direction: Direction;
  readonly after: number;
  /**
   * `cut`: connections are reset, after `act` if there is one. `shorten`: one body ends before its
   * end, as if that were all of it. `flip`: one bit of one byte changes, once. `drip`: a byte at a
   * time, slowly.
   */
  readonly how: "cut" | "shorten" | "flip" | "drip";
  readonly act?: () => Promise<void>;
}

/** An answer that is given instead of that of the service. */
export interface Refusal {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
}

const dripEveryMs = 100;
/** What is smaller is no content, but a question about it. */
const shortenedBytesMin = 256 * 1024;

/** Stands before real services, and spoils what goes to them or comes from them. */
export class SpoilingProxy {
  readonly #servers: Server[] = [];
  readonly #agent = new Agent({ keepAlive: false });
  #spoiling: Spoiling | undefined;
  #refusal: Refusal | undefined;
  #acting: Promise<void> | undefined;
  #passed = 0;
  /** Bytes of bodies that were passed on to services so far. */
  sentBytes = 0;
  /** How often what was armed came to pass. */
  struck = 0;

  /** Everything passes as it is from now on. */
  heal(): void {
    [this.#spoiling, this.#refusal] = [undefined, undefined];
  }

  spoil(spoiling: Spoiling): void {
    [this.#spoiling, this.#refusal, this.#passed, this.struck] = [spoiling, undefined, 0, 0];
    this.#acting = undefined;
  }

  /** Every request is answered so, and none reaches the service. */
  refuse(refusal: Refusal): void {
    [this.#spoiling, this.#refusal, this.struck] = [undefined, refusal, 0];
  }

  /** An address on loopback behind which the service at `url` is; its path is kept. */
  async before(url: string): Promise<string> {
    const { origin, pathname } = new URL(url);
    const server = createServer((request, response) => {
      void this.#pass(origin, request, response).catch(() => {
        response.destroy();
        request.destroy();
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    this.#servers.push(server);
    const address = server.address();
    const port = typeof address === "object" ? address?.port : undefined;
    return `http://127.0.0.1:${port}${pathname === "/" ? "" : pathname}`;
  }

  async close(): Promise<void> {
    for (const server of this.#servers.splice(0)) {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    }
    this.#agent.destroy();
  }

  async #pass(origin: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    request.on("error", () => undefined);
    response.on("error", () => undefined);
    if (this.#refusal !== undefined) {
      this.struck += 1;
      const { status, headers = {} } = this.#refusal;
      response.writeHead(status, { ...headers, Connection: "close" }).end();
      request.resume();
      return;
    }
    const { expect: _, ...headers } = request.headers;
    const shorter = this.#shorter("sent", headers["content-length"]);
    // What is shortened says of itself that it is whole.
    if (shorter !== undefined) headers["content-length"] = String(shorter);
    const outgoing = send(`${origin}${request.url}`, {
      method: request.method,
      headers,
      agent: this.#agent,
    });
    const { socket } = request;
    const cut = (): void => {
      outgoing.destroy();
      socket.resetAndDestroy();
    };
    outgoing.on("error", cut);
    response.on("close", () => outgoing.destroy());
    outgoing.once("response", (answer) => void this.#answer(answer, response, cut));
    for await (const piece of this.#spoilt("sent", request, cut, shorter)) {
      this.sentBytes += piece.length;
      await write(outgoing, piece);
    }
    outgoing.end();
  }

  async #answer(answer: IncomingMessage, response: ServerResponse, cut: () => void): Promise<void> {
    const shorter = this.#shorter("received", answer.headers["content-length"]);
    const length = shorter === undefined ? {} : { "content-length": String(shorter) };
    response.writeHead(answer.statusCode ?? 502, { ...answer.headers, ...length });
    response.flushHeaders();
    try {
      for await (const piece of this.#spoilt("received", answer, cut, shorter)) {
        await write(response, piece);
      }
      response.addTrailers(answer.trailers);
      response.end();
    } catch {
      cut();
    }
  }

  /** How much of a body that says its length is passed on, where it is the one to be shortened. */
  #shorter(direction: Direction, length: string | undefined): number | undefined {
    const bytes = Number(length);
    const spoiling = this.#spoiling;
    if (spoiling?.how !== "shorten" || spoiling.direction !== direction) return undefined;
    if (!(bytes >= shortenedBytesMin)) return undefined;
    this.#struck();
    return Math.floor(bytes / 2);
  }

  /** For what happens once: the next body passes as it is. */
  #struck(): void {
    this.struck += 1;
    this.#spoiling = undefined;
  }

  async *#spoilt(
    direction: Direction,
    body: IncomingMessage,
    cut: () => void,
    shorter: number | undefined,
  ): ByteStream {
    if (shorter !== undefined) {
      yield* firstOf(body, shorter);
      return;
    }
    for await (const whole of body as AsyncIterable<Buffer>) {
      const spoiling = this.#spoiling;
      const after = spoiling?.direction === direction ? spoiling.after : Infinity;
      const left = Math.min(Math.max(0, after - this.#passed), whole.length);
      this.#passed += spoiling?.direction === direction ? whole.length : 0;
      if (left > 0) yield whole.subarray(0, left);
      const rest = Buffer.from(whole.subarray(left));
      if (spoiling === undefined || rest.length === 0) continue;
      switch (spoiling.how) {
        case "cut":
          this.struck += 1;
          await (this.#acting ??= spoiling.act?.());
          cut();
          return;
        case "shorten":
          this.#struck();
          body.resume();
          return;
        case "flip":
          this.#struck();
          rest[0] = (rest[0] ?? 0) ^ 0x40;
          yield rest;
          break;
        case "drip":
          this.struck += 1;
          yield* this.#drip(rest, spoiling);
      }
    }
  }

  async *#drip(bytes: Buffer, spoiling: Spoiling): ByteStream {
    for (const byte of bytes) {
      if (this.#spoiling !== spoiling) return;
      await sleep(dripEveryMs);
      yield Buffer.from([byte]);
    }
  }
}

/** The first bytes of a body; the rest is read and dropped. */
async function* firstOf(body: IncomingMessage, bytes: number): ByteStream {
  let left = bytes;
  for await (const piece of body as AsyncIterable<Buffer>) {
    if (left > 0) yield piece.subarray(0, left);
    left -= piece.length;
  }
}

interface Outlet {
  write(piece: Uint8Array): boolean;
  readonly destroyed: boolean;
  on(event: "drain" | "close", listener: () => void): unknown;
  off(event: "drain" | "close", listener: () => void): unknown;
}

async function write(outlet: Outlet, piece: Uint8Array): Promise<void> {
  if (outlet.destroyed) throw new Error("the other side has gone");
  if (outlet.write(piece)) return;
  await new Promise<void>((resolve) => {
    const go = (): void => {
      for (const event of ["drain", "close"] as const) outlet.off(event, go);
      resolve();
    };
    for (const event of ["drain", "close"] as const) outlet.on(event, go);
  });
}
