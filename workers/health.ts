// Health check of a container: exits 0 when the node in it is well, else 1 with the reason.
// A controller is asked whether it is ready; a worker is well when its controller sees it, and
// also while the controller is away, since workers go on without one.
import { readFile } from "node:fs/promises";
import { nodeHealth } from "#api/node-health.ts";

const { env } = process;
const tokenFile = env["THERMOCLINE_API_TOKEN_FILE"];
const health = await nodeHealth({
  url: env["THERMOCLINE_API_URL"] ?? "http://127.0.0.1:7411",
  token: tokenFile === undefined ? undefined : (await readFile(tokenFile, "utf8")).trim(),
  node: env["THERMOCLINE_NODE_NAME"],
});
console.log(health.reason);
process.exitCode = health.healthy ? 0 : 1;
