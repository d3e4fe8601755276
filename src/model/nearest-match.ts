import { distance } from "fastest-levenshtein";

/** The candidate a person most likely meant, or undefined when none is close. */
export function nearestMatch(word: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const edits = editsBetween(word.toLowerCase(), candidate.toLowerCase());
    if (edits < bestDistance) [best, bestDistance] = [candidate, edits];
  }
  // A third of the letters may be wrong, and two of five; of four, half would be any other word.
  const allowed = word.length <= 4 ? 1 : Math.max(2, Math.floor(word.length / 3));
  return bestDistance <= allowed && bestDistance < word.length ? best : undefined;
}

/** Letters put in, left out or replaced; two neighbours that were swapped are one mistake. */
function editsBetween(word: string, candidate: string): number {
  let first = 0;
  while (first < word.length && word[first] === candidate[first]) first += 1;
  const swapped =
    word.slice(0, first) + (word[first + 1] ?? "") + (word[first] ?? "") + word.slice(first + 2);
  return swapped === candidate && word !== candidate ? 1 : distance(word, candidate);
}
