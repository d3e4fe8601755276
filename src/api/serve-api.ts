import { randomUUID } from "node:crypto";
import { chmod } from "node:fs/promises";
import type { Server } from "node:http";
import { createServer } from "node:http";
import { getRequestListener } from "@hono/node-server";
import type { EngineApi } from "#model/engine-api.ts";
import { EngineError } from "#model/engine-error.ts";
import type { Address } from "#api/address.ts";
import { formatAddress, parseAddress } from "#api/address.ts";
import { createApp } from "#api/app.ts";
import {
  readControllerState,
  removeControllerState,
  writeControllerState,
} from "#api/controller-state.ts";
import { clearSocket } from "#api/clear-socket.ts";
import { controllerAt } from "#api/find-controller.ts";
import { readOrCreateToken } from "#api/token.ts";

/** How long calls under way may go on when the server closes. */
const closeGraceMs = 2_000;

/** Where and how to serve. */
export interface ServeOptions {
  /** `unix:/path/to/socket`, `127.0.0.1:0` (a free port), `host:port`. */
  readonly listen: string;
  /** Made with a random token when it does not exist. */
  readonly tokenFile: string;
  /** A token of the operator's own, which workers elsewhere know; written to `tokenFile`. */
  readonly token?: string;
  readonly stateFile: string;
  readonly version: string;
  /** Told of errors that are nobody's fault but ours. */
  readonly onDefect?: (error: EngineError) => void;
  /** Told of answers that broke off after they had begun. */
  readonly onBrokenAnswer?: (error: EngineError) => void;
}

/** A server that answers. */
export interface ApiServer {
  /** As in the state file; a free port is filled in. */
  readonly address: string;
  readonly tokenFile: string;
  /** Stops taking calls, lets those under way end for two seconds, removes the state file. */
  close(): Promise<void>;
}

/**
 * Serves an engine over HTTP and says so in the state file. LOCKED when a living controller
 * holds the state file or the address; what dead ones left is cleared away.
 */
export async function serveApi(api: EngineApi, options: ServeOptions): Promise<ApiServer> {
  const address = parseAddress(options.listen);
  await refuseSecondController(address, options.stateFile);
  const token = await readOrCreateToken(options.tokenFile, options.token);
  const instance = randomUUID();
  const { version, onDefect, onBrokenAnswer } = options;
  const told = { ...(onDefect && { onDefect }), ...(onBrokenAnswer && { onBrokenAnswer }) };
  const app = createApp({ api, version, instance }, { token, ...told });
  const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false });
  // An upload of lines may take longer than the usual bound on a whole request.
  const server = createServer({ requestTimeout: 0 }, (request, response) => {
    void listener(request, response);
  });
  const bound = formatAddress(await listen(server, address));
  try {
    await writeControllerState(options.stateFile, {
      schemaVersion: 1,
      address: bound,
      pid: process.pid,
      tokenFile: options.tokenFile,
      version,
      instance,
      startedAt: new Date().toISOString(),
    });
  } catch (error) {
    await closeServer(server);
    throw error;
  }
  return {
    address: bound,
    tokenFile: options.tokenFile,
    async close() {
      await removeControllerState(options.stateFile, instance);
      await closeServer(server);
    },
  };
}

/**
 * Two controllers that start in the same instant are kept apart by the lock of the index, which
 * the engine opens first; this check is for the clear message, and before a socket is removed.
 */
async function refuseSecondController(address: Address, stateFile: string): Promise<void> {
  const state = await readControllerState(stateFile);
  const held = state && (await controllerAt(parseAddress(state.address))) === state.instance;
  if (held) {
    throw new EngineError(
      "LOCKED",
      `a controller runs already (process ${state.pid}, ${state.address})`,
      { hint: "use that one (`thermocline status`), or stop it first" },
    );
  }
  if (address.kind === "unix") await clearSocket(address.path);
}

async function listen(server: Server, address: Address): Promise<Address> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) => reject(listenError(address, cause)));
    const where =
      address.kind === "unix" ? { path: address.path } : { host: address.host, port: address.port };
    server.listen(where, resolve);
  });
  if (address.kind === "unix") {
    await chmod(address.path, 0o600);
    return address;
  }
  const bound = server.address();
  const port = typeof bound === "object" && bound !== null ? bound.port : address.port;
  // Who listens on every interface is reached on this one by commands of the same machine.
  const host = wildcards[address.host] ?? address.host;
  return { ...address, host, port };
}

const wildcards: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "::": "::1" };

async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), closeGraceMs);
  await closed;
  clearTimeout(timer);
}

function listenError(address: Address, cause: Error): EngineError {
  const where = formatAddress(address);
  if ("code" in cause && cause.code === "EADDRINUSE") {
    return new EngineError("LOCKED", `another program listens at ${where}`, {
      hint: "stop it, or set another `api.listen` (port 0 takes a free one)",
      cause,
    });
  }
  return new EngineError("UNAVAILABLE", `cannot listen at ${where}: ${cause.message}`, {
    hint: "set another `api.listen`",
    retryable: false,
    cause,
  });
}
