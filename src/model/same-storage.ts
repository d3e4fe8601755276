/**
 * What a storage is called. Where an account is named, storages of one name are two if both name
 * one and these differ.
 */
export type StorageName = string | { readonly name: string; readonly account: string };

/** Two backends that are one and the same storage, at least in part. */
export type SamePair = readonly [one: string, other: string];

/** Whether storages that say these names of themselves are one and the same, at least in part. */
export function isSameStorage(one: readonly StorageName[], other: readonly StorageName[]): boolean {
  return one.some((name) => other.some((theirs) => isSameName(name, theirs)));
}

function isSameName(one: StorageName, other: StorageName): boolean {
  if (typeof one === "string" || typeof other === "string") return nameOf(one) === nameOf(other);
  return one.name === other.name && one.account === other.account;
}

function nameOf(name: StorageName): string {
  return typeof name === "string" ? name : name.name;
}
