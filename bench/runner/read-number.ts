import { EngineError } from "#model/engine-error.ts";

const factors: Readonly<Record<string, number>> = { "": 1, k: 1e3, M: 1e6 };
/** Below that there is nothing to compare, and a batch would not be full. */
const objectsMin = 1_000;
const objectsMax = 1e9;

/** "1e6,1_000_000,1M" as numbers of objects, from few to many. Throws USAGE. */
export function readObjectCounts(text: string): readonly number[] {
  const counts = text.split(",").map((part) => readNumber("--objects", part.trim()));
  const odd = counts.find((count) => count < objectsMin || count > objectsMax);
  if (odd === undefined) return [...new Set(counts)].toSorted((a, b) => a - b);
  throw new EngineError("USAGE", `--objects ${odd} is not between 1k and 1e9`);
}

/** A whole number above 0, as people write large ones. Throws USAGE. */
export function readNumber(option: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?(?:e\d{1,2})?)([kM]?)$/.exec(
    text.replaceAll(/(?<=\d)_(?=\d)/g, ""),
  );
  const number = Math.round(Number(match?.[1]) * (factors[match?.[2] ?? ""] ?? 1) * 1e6) / 1e6;
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw new EngineError("USAGE", `${option} "${text}" is not a whole number above 0`, {
    hint: "write 100000, 1_000_000, 1e6, 100k or 1M; several sizes with commas between them",
  });
}
