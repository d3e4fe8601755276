/** What an object has in the index to call it by; the path is its first one. */
export interface NameFacts {
  readonly collection: string | null;
  readonly path: string | null;
}

/**
 * What people call an object (`ObjectRef.name`): its path, below its collection unless the path
 * begins with that already. Undefined for what has no path.
 */
export function storageName({ collection, path }: NameFacts): string | undefined {
  const bare = path?.replace(/^\/+/, "") ?? "";
  if (bare === "") return undefined;
  if (collection === null || collection === "") return bare;
  return bare.startsWith(`${collection}/`) ? bare : `${collection}/${bare}`;
}

/** An object with its name, where it has one. */
export function withName<Named extends object>(
  object: Named,
  facts: NameFacts,
): Named & { readonly name?: string } {
  const name = storageName(facts);
  return name === undefined ? object : { ...object, name };
}
