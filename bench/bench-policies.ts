import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { askPolicies } from "#engine/ask-policies.ts";
import { PolicyBook } from "#engine/policy-book.ts";
import type { ObjectIndex } from "#index/object-index.ts";
import type { IndexSession } from "#index/read-session.ts";
import type { AskPolicies } from "#model/policy-word.ts";
import { loadAttributes } from "#policies/attribute-registry.ts";
import { HeatBounds } from "#policies/heat-bounds.ts";
import { sampleTime } from "./sample-objects.ts";

/** What an installation may have: holds by tag and name, promises, and a deletion. */
const plain = `apiVersion: thermocline/v1
kind: Policy
metadata: {name: keep}
classes: {scratch: 'path like "**/.cache/**" or path like "**/tmp/**" or tags has "scratch"'}
rules:
  - {name: legal, where: tags has "legal-hold" or held, hold: true}
  - {name: licences, where: 'name like "LICENSE*" or name like "LICENCE*"', hold: true}
  - {name: one, where: 'size > 0B and (missing(path) or not class scratch)', ensure: {copies: 1}}
  - {name: drop, where: class scratch and idle > 14d and not held, delete: {grace: 7d}}
`;
const ranked = `${plain}  - {name: hottest, where: heat_rank <= 100, hold: true}
`;

/** Asks policies as a controller does before something is removed: files, inventory and objects. */
export async function policyAsker(
  index: ObjectIndex,
  folder: string,
  kind: "plain" | "ranked",
): Promise<AskPolicies> {
  const policies = join(folder, `policies-${kind}`);
  await mkdir(policies, { recursive: true });
  const text = kind === "plain" ? plain : ranked;
  await writeFile(join(policies, "keep.thermocline.yaml"), text);
  const book = new PolicyBook({ directory: folder, policies: [policies] }, await loadAttributes());
  const heats = new HeatBounds();
  const moment = async (now: Date, session?: IndexSession) => ({
    now,
    backends: await (session ?? index).backends(now),
    heat: await (session ?? index).heat(),
  });
  const context = { index, policies: book, moment, now: () => sampleTime };
  return (objects, variables) => askPolicies(context, objects, variables, heats);
}
