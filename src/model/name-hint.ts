import { nearestMatch } from "#model/nearest-match.ts";

/** "did you mean …?" when a name is near, else what there is to choose from. */
export function nameHint(name: string, candidates: readonly string[], what: string): string {
  const nearest = nearestMatch(name, candidates);
  if (nearest !== undefined) return `did you mean "${nearest}"?`;
  return candidates.length === 0 ? `there are no ${what}` : `${what}: ${candidates.join(", ")}`;
}
