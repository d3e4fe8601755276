import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { verifyCopies, type CopyToVerify, type VerifyOptions } from "#jobs/verify-copies.ts";
import type { Evidence, StoredCopy } from "#model/copy.ts";
import type { Driver } from "#model/driver.ts";
import type { VerifyProgress } from "#model/engine-api.ts";
import { EngineError } from "#model/engine-error.ts";
import { driverWith } from "./driver-with.ts";
import { LocalStores } from "./local-stores.ts";

let stores: LocalStores;
let drivers: Map<string, Driver>;
/** What reached the index, one list a call. */
let recorded: (readonly Evidence[])[];

const index = {
  recordEvidence: (evidence: readonly Evidence[]) => {
    recorded.push(evidence);
    return Promise.resolve();
  },
};

beforeEach(async () => {
  stores = await LocalStores.open();
  drivers = new Map([["hot", await stores.driver("hot")]]);
  recorded = [];
});

afterEach(async () => {
  await stores[Symbol.asyncDispose]();
});

test("intact copies are found present and verified, in any form", async () => {
  const copies = [await put("one"), await put("two"), await putCar("three")];
  const { summary, problems } = await verify(copies);
  expect(problems).toEqual([]);
  expect(summary).toMatchObject({ copies: 3, total: 3, verified: 3, absent: 0, corrupt: 0 });
  expect(summary?.bytes).toBeGreaterThan("onetwothree".length);
  expect(recorded.flat().map(({ finding, confidence }) => [finding, confidence])).toEqual(
    copies.map(() => ["present", "verified"]),
  );
});

test("a flipped byte is found, told with backend, name and remedy, and recorded", async () => {
  const copies = [await put("one"), await put("two"), await put("three")];
  const [, damaged] = copies;
  if (!damaged) throw new Error("no copy");
  await stores.damage("hot", damaged.copy, 1);
  const { summary, problems } = await verify(copies);
  expect(summary).toMatchObject({ copies: 3, verified: 2, corrupt: 1 });
  expect(problems).toEqual([
    expect.stringMatching(new RegExp(`^hot: /two \\(${damaged.object.cid}\\) is corrupt: .*rules`)),
  ]);
  expect(recorded.flat()).toContainEqual(
    expect.objectContaining({ backend: "hot", cid: damaged.object.cid, finding: "corrupt" }),
  );
});

test("a copy that is gone is found absent", async () => {
  const lost = await put("lost");
  await rm(join(stores.folder, "hot", lost.copy.locator));
  const { summary, problems } = await verify([lost]);
  expect(summary).toMatchObject({ copies: 1, verified: 0, absent: 1 });
  expect(problems).toEqual([expect.stringContaining("is gone") as string]);
  expect(recorded.flat()).toMatchObject([{ finding: "absent" }]);
});

test("a copy that cannot be asked for is a problem and no finding", async () => {
  const copies = [await put("one"), { ...(await put("two")), backend: "unknown" }];
  const locked = driverWith(await stores.driver("hot"), {
    verify: () => Promise.reject(new EngineError("FORBIDDEN", "no entry", { hint: "ask" })),
  });
  drivers.set("hot", locked);
  const { summary, problems } = await verify(copies);
  expect(summary).toMatchObject({ copies: 2, verified: 0, absent: 0, corrupt: 0 });
  expect(problems).toEqual([
    expect.stringMatching(/^hot: \/one .* could not be checked: no entry: ask$/),
    expect.stringMatching(/^unknown: \/two .* could not be checked: there is no backend "unknown"/),
  ]);
  expect(recorded).toEqual([]);
});

test("evidence reaches the index in batches, and what was found before a stop is kept", async () => {
  const copy = await put("one");
  const many = Array.from({ length: 2_500 }, () => copy);
  await verify(many);
  expect(recorded.map((batch) => batch.length)).toEqual([1_000, 1_000, 500].map(expectAbout));
  recorded = [];
  const stop = new AbortController();
  let asked = 0;
  const counting = driverWith(await stores.driver("hot"), {
    verify: async (...call) => {
      asked += 1;
      if (asked === 30) stop.abort();
      return (await stores.driver("hot")).verify(...call);
    },
  });
  drivers.set("hot", counting);
  await expect(verify(many, { signal: stop.signal })).rejects.toMatchObject({ code: "CANCELLED" });
  expect(recorded.flat().length).toBeGreaterThan(10);
  expect(recorded.flat().length).toBeLessThan(30);
});

type Stored = CopyToVerify & { readonly copy: StoredCopy };

async function put(text: string): Promise<Stored> {
  const { object, copy } = await stores.put("hot", Buffer.from(text));
  return { object, copy, backend: "hot", path: `/${text}` };
}

async function putCar(text: string): Promise<Stored> {
  const { object, copy } = await stores.put("hot", Buffer.from(text), "car");
  return { object, copy, backend: "hot", path: `/${text}` };
}

async function verify(copies: readonly CopyToVerify[], options: VerifyOptions = {}) {
  async function* source(): AsyncGenerator<CopyToVerify> {
    yield* copies;
  }
  const all: VerifyProgress[] = await Array.fromAsync(
    verifyCopies(source(), drivers, index, { total: copies.length, ...options }),
  );
  const problems = all.filter(({ type }) => type === "problem").map(({ message }) => message);
  return { problems, summary: all.at(-1) };
}

/** Batches close at the next settling, so a few of those under way may be in them. */
function expectAbout(count: number): unknown {
  return expect.toSatisfy((size: number) => Math.abs(size - count) < 20) as unknown;
}
