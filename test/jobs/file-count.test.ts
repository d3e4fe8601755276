import { expect, test, vi } from "vitest";
import { FileCount } from "#jobs/file-count.ts";

/** More than a call takes arguments; a real folder of so many takes minutes to make and remove. */
const folders = 200_000;

vi.mock("node:fs/promises", () => ({
  opendir: (path: string) => {
    if (path === "/broken") return Promise.resolve([entry(undefined)]);
    if (path !== "/wide") return Promise.resolve([entry("a.txt", true)]);
    return Promise.resolve(Array.from({ length: folders }, (_, at) => entry(String(at))));
  },
}));

function entry(name: unknown, isFile = false) {
  return { name, isFile: () => isFile, isDirectory: () => !isFile };
}

test("a folder of very many folders is counted like any other", async () => {
  const counted = new FileCount("/wide", new AbortController().signal);
  await counted.ended;
  expect(counted.total(0)).toEqual({ filesTotal: folders });
});

test("a count that fails says nothing, and stands in nobody's way", async () => {
  const counted = new FileCount("/broken", new AbortController().signal);
  await expect(counted.ended).resolves.toBeUndefined();
  expect(counted.total(3)).toEqual({});
});
