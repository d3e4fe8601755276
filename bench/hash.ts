import { createHash } from "node:crypto";
import { addressBytes, addressFile } from "#content/address-file.ts";
import { defaultProfile } from "#content/profile.ts";

/**
 * How much dearer a CID is than the bare SHA-256 of the same bytes, and how many small files can
 * be addressed in a second. Both figures of a pair are taken in turns in one run, because the
 * speed of the machine drifts more than they differ.
 */
const MiB = 1024 * 1024;
const rounds = 7;
const large = Buffer.alloc(256 * MiB, "thermocline ");
const small = Array.from({ length: 20_000 }, (_, number) => Buffer.alloc(4096, `${number} `));

async function* pieces(pieceBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < large.length; at += pieceBytes) yield large.subarray(at, at + pieceBytes);
}

async function bareSha256(pieceBytes: number): Promise<void> {
  const hash = createHash("sha256");
  for await (const piece of pieces(pieceBytes)) hash.update(piece);
  hash.digest();
}

async function secondsOf(run: () => Promise<unknown> | undefined): Promise<number> {
  const start = performance.now();
  await run();
  return (performance.now() - start) / 1_000;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

for (const pieceBytes of [64 * 1024, MiB]) {
  const bare: number[] = [];
  const addressed: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    bare.push(await secondsOf(() => bareSha256(pieceBytes)));
    addressed.push(await secondsOf(() => addressFile(pieces(pieceBytes), defaultProfile)));
  }
  const ratio = median(bare.map((seconds, at) => seconds / (addressed[at] ?? Number.NaN)));
  const speed = (seconds: number): string => (large.length / seconds / 1e6).toFixed(0);
  console.log(
    `addressFile, pieces of ${pieceBytes / 1024} KiB: ${speed(median(addressed))} MB/s, ` +
      `${ratio.toFixed(2)}x of bare SHA-256 (${speed(median(bare))} MB/s)`,
  );
}

const bare: number[] = [];
const addressed: number[] = [];
for (let round = 0; round < rounds; round += 1) {
  bare.push(
    await secondsOf(() => {
      for (const bytes of small) createHash("sha256").update(bytes).digest();
      return undefined;
    }),
  );
  addressed.push(
    await secondsOf(() => {
      for (const bytes of small) addressBytes(bytes, defaultProfile);
      return undefined;
    }),
  );
}
const ratio = median(bare.map((seconds, at) => seconds / (addressed[at] ?? Number.NaN)));
const perSecond = (seconds: number): string => (small.length / seconds).toFixed(0);
console.log(
  `addressBytes, 4 KiB: ${perSecond(median(addressed))} files/s, ` +
    `${ratio.toFixed(2)}x of bare SHA-256 (${perSecond(median(bare))} files/s)`,
);
