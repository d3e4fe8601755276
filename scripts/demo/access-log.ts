import { createWriteStream } from "node:fs";
import { once } from "node:events";
import { seededRandom } from "../seeded-random.ts";

const day = 86_400_000;

/**
 * Writes a realistic access log (NDJSON: path, at) for files that exist: popularity follows
 * Zipf's law, most files cool down after their release, a few stay hot, some are read only once
 * long ago, and a scratch area is read and forgotten. Seeded: the same files give the same log.
 *
 * @returns lines written
 */
export async function writeAccessLog(
  file: string,
  paths: readonly string[],
  now: Date,
): Promise<number> {
  const random = seededRandom(20_261_121);
  const out = createWriteStream(file);
  let lines = 0;
  for (const [rank, path] of shuffled(paths, random).entries()) {
    const reads = Math.min(400, Math.ceil(paths.length / (rank + 1) / 4));
    // The most popular twentieth is read until today; the rest cooled down some time ago.
    const lastDaysAgo = rank < paths.length / 20 ? random() * 2 : 20 + random() * 70;
    for (let read = 0; read < reads; read += 1) {
      const age = lastDaysAgo + (read === 0 ? 0 : -Math.log(1 - random()) * 6);
      const at = new Date(now.getTime() - Math.min(age, 120) * day).toISOString();
      lines += 1;
      if (!out.write(`${JSON.stringify({ path, at })}\n`)) await once(out, "drain");
    }
  }
  out.end();
  await once(out, "finish");
  return lines;
}

function shuffled(items: readonly string[], random: () => number): string[] {
  const result = items.toSorted((a, b) => (a < b ? -1 : 1));
  for (let at = result.length - 1; at > 0; at -= 1) {
    const other = Math.floor(random() * (at + 1));
    [result[at], result[other]] = [result[other] ?? "", result[at] ?? ""];
  }
  return result;
}
