import { distance } from "fastest-levenshtein";

/** The candidate a person most likely meant, or undefined when none is close. */
export function nearestMatch(word: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const edits = distance(word.toLowerCase(), candidate.toLowerCase());
    if (edits < bestDistance) [best, bestDistance] = [candidate, edits];
  }
  // A third of the letters may be wrong; short words forgive one swap (two edits).
  const allowed = Math.max(2, Math.floor(word.length / 3));
  return bestDistance <= allowed && bestDistance < word.length ? best : undefined;
}
