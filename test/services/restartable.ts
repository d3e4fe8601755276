import type { ServerProcess } from "../../scripts/services/server-process.ts";

/** A server that a test ends and starts again; what it stored stays. */
export class Restartable<Server extends ServerProcess = ServerProcess> {
  readonly #start: (before: Server | undefined) => Promise<Server>;
  #server: Server | undefined;
  #ended = Promise.resolve();

  /** `start` is given the one that ran before, whose place it takes. */
  constructor(start: (before: Server | undefined) => Promise<Server>) {
    this.#start = start;
  }

  /** The process that runs now, or ran last. Throws before the first start. */
  get server(): Server {
    if (this.#server === undefined) throw new Error("the server was not started yet");
    return this.#server;
  }

  /** Starts it, unless it runs. */
  async startAgain(): Promise<void> {
    // Connections break off before the process has ended: one that is being killed still runs.
    await this.#ended;
    if (this.#server?.hasEnded() === false) return;
    this.#server = await this.#start(this.#server);
  }

  /** Ends the process at once. */
  kill(): Promise<void> {
    return this.#end("kill");
  }

  stop(): Promise<void> {
    return this.#end("stop");
  }

  #end(how: "kill" | "stop"): Promise<void> {
    const server = this.#server;
    if (server !== undefined) this.#ended = server[how]();
    return this.#ended;
  }
}
