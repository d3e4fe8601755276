import type { StorageNames } from "#model/driver.ts";

/** Whether storages that say these names of themselves are one and the same, at least in part. */
export function isSameStorage(one: StorageNames, other: StorageNames): boolean {
  return meet(one.is, other.is) || meet(one.is, other.on ?? []) || meet(one.on ?? [], other.is);
}

function meet(some: readonly string[], others: readonly string[]): boolean {
  return some.some((name) => others.includes(name));
}
