/** Whether storages that say these names of themselves are one and the same, at least in part. */
export function isSameStorage(one: readonly string[], other: readonly string[]): boolean {
  return one.some((name) => other.includes(name));
}
