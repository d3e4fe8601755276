import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { kubo } from "./kubo.ts";
import { startServer, type ServerProcess } from "./server-process.ts";
import { runProgram } from "./service.ts";

/** How a private IPFS node is set up. */
export interface KuboSettings {
  /** Users by name, as in `API.Authorizations` of its configuration. */
  readonly authorizations?: Readonly<
    Record<string, { readonly AuthSecret: string; readonly AllowedPaths: readonly string[] }>
  >;
  /** More settings, by their path with dots. */
  readonly config?: Readonly<Record<string, unknown>>;
}

export interface RunningKubo extends ServerProcess {
  /** Where its RPC API listens: `http://127.0.0.1:PORT`. */
  readonly rpc: string;
}

/**
 * Makes the repository of an IPFS node that speaks to nobody by itself: loopback only, ports of
 * the system's choice, no bootstrap peers, no discovery, no DHT, nothing announced.
 */
export async function initialiseKubo(repo: string, settings: KuboSettings = {}): Promise<void> {
  const found = kubo.find();
  if (!found.available) throw new Error(found.reason);
  await mkdir(repo, { recursive: true });
  const init = ["init", "--profile=test", "--empty-repo", "--algorithm=ed25519"];
  const { problem } = runProgram(found.path, init, { IPFS_PATH: repo });
  if (problem !== undefined) throw new Error(problem);
  const file = join(repo, "config");
  const config = JSON.parse(await readFile(file, "utf8")) as Record<string, unknown>;
  const wanted = {
    "Routing.Type": "none",
    "Provide.Enabled": false,
    "Version.SwarmCheckDisabled": true,
    // No node but those that are told of each other.
    "Swarm.RelayClient.Enabled": false,
    "Swarm.EnableHolePunching": false,
    ...(settings.authorizations && { "API.Authorizations": settings.authorizations }),
    ...settings.config,
  };
  for (const [path, value] of Object.entries(wanted)) setAt(config, path.split("."), value);
  await writeFile(file, JSON.stringify(config, undefined, 2));
}

/** Starts the node of a repository; at `port`, when it has to be where it was before. */
export async function runKubo(
  repo: string,
  options: { readonly port?: number; readonly authorization?: string } = {},
): Promise<RunningKubo> {
  const found = kubo.find();
  if (!found.available) throw new Error(found.reason);
  const api = `--api=/ip4/127.0.0.1/tcp/${options.port ?? 0}`;
  const { authorization } = options;
  const headers = authorization === undefined ? {} : { Authorization: authorization };
  let rpc = "";
  const server = await startServer(found.path, ["daemon", api, "--migrate=false"], {
    folder: repo,
    environment: { IPFS_PATH: repo, IPFS_TELEMETRY: "off" },
    answers: async () => {
      rpc = await addressIn(repo);
      return (await fetch(`${rpc}/api/v0/id`, { method: "POST", headers })).ok;
    },
  });
  return { ...server, rpc };
}

/** Kubo writes the address of its API into its repository once it listens. */
async function addressIn(repo: string): Promise<string> {
  const text = await readFile(join(repo, "api"), "utf8");
  const port = /\/tcp\/(\d+)/.exec(text)?.[1];
  if (port === undefined) throw new Error(`no port in ${text}`);
  return `http://127.0.0.1:${port}`;
}

function setAt(config: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [first = "", ...rest] = path;
  if (rest.length === 0) {
    config[first] = value;
    return;
  }
  const inner = (config[first] ?? {}) as Record<string, unknown>;
  config[first] = inner;
  setAt(inner, rest, value);
}
