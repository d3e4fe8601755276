import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { VersitygwServer } from "../services/versitygw.ts";
import type { Workspace } from "./workspace.ts";

export interface FarBackendOptions {
  /** Another way to the server than its own endpoint. */
  readonly endpoint?: string;
  /** Another secret than the server knows. */
  readonly secret?: string;
  /** More fields of the backend: `limits: {bandwidth: 1M}`. */
  readonly fields?: string;
  /** Driver options: `layout: file`. */
  readonly options?: string;
}

/** Makes the bucket `archive`, and it the backend `far` (driver s3, tier archive). */
export async function addFarBackend(
  workspace: Workspace,
  server: VersitygwServer,
  options: FarBackendOptions = {},
): Promise<void> {
  await server.makeBucket("archive");
  await writeFile(join(workspace.path, "key"), server.accessKeyId);
  await writeFile(join(workspace.path, "secret"), options.secret ?? server.secretAccessKey);
  const settings = [
    "bucket: archive",
    `endpoint: "${options.endpoint ?? server.endpoint}"`,
    `region: ${server.region}`,
    "forcePathStyle: true",
    "accessKeyId: file:./key",
    "secretAccessKey: file:./secret",
    ...(options.options === undefined ? [] : [options.options]),
  ].join(", ");
  const fields = options.fields === undefined ? "" : `, ${options.fields}`;
  const entry = `  - {name: far, driver: s3, tier: archive${fields}, options: {${settings}}}\n`;
  const file = join(workspace.path, "thermocline.yaml");
  await writeFile(file, (await readFile(file, "utf8")) + entry);
}
