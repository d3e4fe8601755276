import { hash } from "node:crypto";
import { expect, test } from "vitest";
import { hashPiece } from "#content/hash-piece.ts";
import { HashThread } from "#content/hash-thread.ts";
import { deterministicBytes } from "./deterministic-bytes.ts";

const MiB = 1024 * 1024;
const content = Buffer.concat([...deterministicBytes(3 * MiB, "hash")]);

test("pieces of any length, shared with other threads or not, have the hash they have", async () => {
  const lengths = [0, 1, 128 * 1024 - 1, 128 * 1024, MiB - 1, MiB, MiB + 1];
  const pieces = Array.from({ length: 60 }, (_, number) => {
    const length = lengths[number % lengths.length] ?? 0;
    const piece = content.subarray(number * 1_000, number * 1_000 + length);
    return number % 2 === 0 ? piece : shared(piece);
  });
  const found = await Promise.all(pieces.map((piece) => hashPiece(piece)));
  expect(found.map(hex)).toEqual(pieces.map((piece) => hash("sha256", piece)));
});

test.each([
  ["cannot start", "missing-thread.ts"],
  ["ends in the middle of its work", "ending-thread.ts"],
])("a thread that %s leaves no piece without its hash", async (_, file) => {
  const ended: HashThread[] = [];
  const entry = new URL(`./fixtures/${file}`, import.meta.url);
  const thread = new HashThread(entry, (which) => ended.push(which));
  const pieces = [0, 1, 2, 3].map((number) => content.subarray(number, number + MiB / 2));
  const found = await Promise.all(pieces.map((piece) => thread.hash(piece)));
  expect(found.map(hex)).toEqual(pieces.map((piece) => hash("sha256", piece)));
  expect(ended).toContain(thread);
  expect(thread.waiting).toBe(0);
});

function shared(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(new SharedArrayBuffer(bytes.length));
  copy.set(bytes);
  return copy;
}

function hex(digest: Uint8Array): string {
  return Buffer.from(digest).toString("hex");
}
