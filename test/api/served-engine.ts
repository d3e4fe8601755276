import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EngineApi } from "#model/engine-api.ts";
import type { ApiServer, ServeOptions } from "#api/serve-api.ts";
import { ApiClient } from "#api/client.ts";
import { serveApi } from "#api/serve-api.ts";
import { readToken } from "#api/token.ts";

/** A served engine in a folder of its own, with a client; disposed of with `await using`. */
export interface ServedEngine extends AsyncDisposable {
  readonly folder: string;
  readonly server: ApiServer;
  readonly client: ApiClient;
  readonly token: string;
  readonly options: ServeOptions;
}

/** Serves an engine on a Unix socket (default) or a free loopback port. */
export async function serveEngine(
  api: EngineApi,
  kind: "socket" | "loopback" = "socket",
): Promise<ServedEngine> {
  const folder = await mkdtemp(join(tmpdir(), "thermocline-api-"));
  const options = {
    listen: kind === "socket" ? `unix:${join(folder, "api.sock")}` : "127.0.0.1:0",
    tokenFile: join(folder, "token"),
    stateFile: join(folder, "controller.json"),
    version: "0.1.0",
  };
  const server = await serveApi(api, options);
  const token = await readToken(options.tokenFile);
  return {
    folder,
    server,
    token,
    options,
    client: new ApiClient({ address: server.address, token }),
    async [Symbol.asyncDispose]() {
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
