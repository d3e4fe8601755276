import { loadRegistryFolder } from "#model/registry-folder.ts";
import type { AttributeDefinition } from "#policies/attribute-definition.ts";

/** Every word of the expression language, by name. */
export type AttributeRegistry = ReadonlyMap<string, AttributeDefinition>;

/** Loads the folder `src/policies/attributes/`: adding a word is adding a file there. */
export async function loadAttributes(): Promise<AttributeRegistry> {
  return loadRegistryFolder<AttributeDefinition>(new URL("./attributes/", import.meta.url));
}
