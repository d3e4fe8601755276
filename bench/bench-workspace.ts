import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Config, loadConfig } from "#config.ts";
import { dataPaths } from "#config/data-paths.ts";
import { loadDrivers } from "#registry.ts";
import { policyText } from "./compile-policy-text.ts";
import { livelyTiers, makeLivelyIndex } from "./lively-index.ts";

/** A folder as people have it: a configuration with the backends of `makeLivelyIndex`, a policy. */
export async function makeWorkspace(folder: string, rules: string): Promise<void> {
  const policies = join(folder, "policies");
  await mkdir(policies, { recursive: true });
  await writeFile(join(policies, "bench.thermocline.yaml"), policyText(rules));
  const backends = livelyTiers.map(
    (tier) => `  - {name: on-${tier}, driver: local, tier: ${tier}, options: {path: ./${tier}}}\n`,
  );
  const text = `apiVersion: thermocline/v1\nbackends:\n${backends.join("")}`;
  await writeFile(join(folder, "thermocline.yaml"), text);
}

/** The configuration of such a folder. */
export async function workspaceConfig(folder: string): Promise<Config> {
  const drivers = await loadDrivers();
  return await loadConfig({ cwd: folder, env: {}, hostname: "bench", drivers });
}

/** Gives it an index of so many objects, where the program looks for one. */
export async function fillWorkspace(folder: string, objects: number): Promise<string> {
  const { index } = dataPaths((await workspaceConfig(folder)).dataDirectory);
  await mkdir(dirname(index), { recursive: true });
  await makeLivelyIndex(index, objects);
  return index;
}
