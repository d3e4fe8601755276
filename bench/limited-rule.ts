/** Which objects of a lively index such a rule moves. */
export const idle = "idle > 30d and heat < 0.5 and size >= 1MiB and not held";

/** Bytes that it moves at most, of an index of so many objects. */
export function budgetOf(objects: number): number {
  return 200_000 * objects;
}

/** One rule with an order and a limit of bytes, as prototypes were measured with. */
export function limitedRule(objects: number): string {
  return `- {name: cool, where: ${idle}, order: [heat asc], limit: {bytes: ${budgetOf(objects)}B},
    demote: {from: tier = hot, to: tier = cold}}`;
}
