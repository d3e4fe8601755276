import { appendFile, chmod, copyFile, cp, mkdtemp, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Workspace } from "../integration/workspace.ts";
import { freePort } from "../../scripts/services/server-process.ts";
import { coolDown, makeFiles } from "./takeover-run.ts";

export interface MachineOptions {
  readonly queueUrl: string;
  readonly files: number;
  /** How often a changed index is published. */
  readonly every: string;
  /** Both controllers answer at one address, whichever of them leads. */
  readonly address?: boolean;
}

/**
 * Two workspaces with one queue, one storage and one folder of published indexes, and content
 * in the hot tier: what two machines with a shared disk have. Dispose of both.
 */
export async function twoMachines(
  options: MachineOptions,
): Promise<readonly [Workspace, Workspace]> {
  const { queueUrl, files, every } = options;
  const first = await Workspace.create({ policies: { "cool-down": coolDown } });
  const path = await mkdtemp(join(tmpdir(), "thermocline-test-"));
  await chmod(path, 0o755);
  const second = Workspace.at(path);
  const config = join(first.path, "thermocline.yaml");
  const published = join(first.path, "published");
  // The address of PostgreSQL holds a password: a configuration only refers to it.
  const queueFile = join(first.path, "queue-url");
  await writeFile(queueFile, queueUrl);
  await appendFile(
    config,
    `queue: {url: "file:${queueFile}"}\n` +
      `standby: {directory: "${published}", every: ${every}, keep: 1000}\n` +
      "safety: {permitTtl: 20s, clockSkew: 1s}\n",
  );
  await makeFiles(first.path, files);
  await first.ok("import", "dir", join(first.path, "source"), "--backend", "hot");
  if (options.address === true) await appendFile(config, await commonAddress(first.path));
  await copyFile(config, join(path, "thermocline.yaml"));
  await cp(join(first.path, "policies"), join(path, "policies"), { recursive: true });
  await symlink(join(first.path, "storage"), join(path, "storage"));
  return [first, second];
}

/** As behind an address that follows the active controller. */
async function commonAddress(path: string): Promise<string> {
  const token = join(path, "token");
  await writeFile(token, "token-of-this-test-only");
  const port = await freePort();
  return (
    `api: {listen: "127.0.0.1:${port}", url: "http://127.0.0.1:${port}", ` +
    `token: "file:${token}"}\n`
  );
}
