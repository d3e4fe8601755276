import { connect } from "node:net";
import type { Config } from "#config.ts";
import { resolveReference } from "#config/resolve-secret.ts";
import { EngineError } from "#model/engine-error.ts";
import type { CommandIo } from "#cli/command-io.ts";

const timeoutMs = 5_000;
const defaultPorts: Readonly<Record<string, number>> = {
  "redis:": 6379,
  "rediss:": 6379,
  "postgres:": 5432,
  "postgresql:": 5432,
};

/** Whether the server of the queue accepts connections. */
export async function checkQueue(config: Config, io: CommandIo): Promise<string> {
  const context = { env: io.env, directory: config.directory };
  const text = await resolveReference(config.queue.url, context);
  const url = URL.parse(text);
  if (url === null || !Object.hasOwn(defaultPorts, url.protocol)) {
    throw new EngineError("USAGE", "queue.url stands for no URL of Redis or PostgreSQL", {
      hint: "write redis://…, rediss://… or postgres://…",
    });
  }
  const port = url.port === "" ? (defaultPorts[url.protocol] ?? 0) : Number(url.port);
  await accepts(url.hostname, port);
  return `${url.protocol}//${url.hostname}:${port} accepts connections`;
}

function accepts(host: string, port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connect({ host, port });
  const refuse = (reason: string): void => {
    socket.destroy();
    reject(
      new EngineError("UNAVAILABLE", `${host}:${port} does not answer: ${reason}`, {
        hint: "start the server, or correct queue.url",
      }),
    );
  };
  socket.setTimeout(timeoutMs, () => refuse("no answer in 5 s"));
  socket.once("error", (error) => refuse(error.message));
  socket.once("connect", () => {
    socket.destroy();
    resolve();
  });
  return promise;
}
