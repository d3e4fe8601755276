import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * What a proxy does with bytes: `pass` them, `slow` them down, `stall` them (connections stay,
 * nothing arrives), or `refuse` every connection.
 */
export type LinkState = "pass" | "slow" | "stall" | "refuse";

/** A TCP proxy on a loopback port that can spoil the connections through it. */
export class TcpProxy {
  readonly #server: Server;
  readonly #target: () => number;
  readonly #sockets = new Set<Socket>();
  /** Bytes that went from the callers to the server so far. */
  bytesSent = 0;
  #state: LinkState = "pass";
  #delayMs = 0;
  #changed = Promise.withResolvers<void>();

  private constructor(target: () => number) {
    this.#target = target;
    this.#server = createServer((socket) => {
      this.#join(socket);
    });
  }

  /** `target` gives the port behind it, asked at each connection. */
  static async open(target: () => number): Promise<TcpProxy> {
    const proxy = new TcpProxy(target);
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  /** Changes what happens to bytes from now on; `refuse` also cuts what is connected. */
  set(state: LinkState, delayMs = 0): void {
    this.#state = state;
    this.#delayMs = delayMs;
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
    if (state === "refuse") this.cut();
  }

  /** Resets every connection, as a firewall that forgot them would. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async close(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.set("refuse");
    await closed;
  }

  #join(near: Socket): void {
    if (this.#state === "refuse") {
      near.resetAndDestroy();
      return;
    }
    const far = connect(this.#target(), "127.0.0.1");
    for (const socket of [near, far]) {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      // What ended one side ends the other; the parties themselves notice and report.
      socket.on("error", () => undefined);
      socket.once("close", () => {
        this.#sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    void this.#carry(near, far, (bytes) => {
      this.bytesSent += bytes;
    });
    void this.#carry(far, near);
  }

  async #carry(from: Socket, to: Socket, count?: (bytes: number) => void): Promise<void> {
    try {
      for await (const chunk of from as AsyncIterable<Buffer>) {
        await this.#passage();
        count?.(chunk.length);
        if (!to.write(chunk)) await once(to, "drain");
      }
      to.end();
    } catch {
      // A destroyed socket: its `close` event has ended the other side.
    }
  }

  async #passage(): Promise<void> {
    while (this.#state === "stall") await this.#changed.promise;
    if (this.#state === "slow") await sleep(this.#delayMs);
  }
}
