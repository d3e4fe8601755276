import { afterEach, beforeEach, expect, test } from "vitest";
import type { Form } from "#model/copy.ts";
import type { Driver, DriverCapabilities } from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import { transferFault } from "#jobs/transfer-fault.ts";
import { transfer } from "#jobs/transfer.ts";
import { deterministicBytes } from "../content/deterministic-bytes.ts";
import { driverWith } from "./driver-with.ts";
import { LocalStores } from "./local-stores.ts";

const bytes = Buffer.concat([...deterministicBytes(2_500_000, "transfer")]);
let stores: LocalStores;

beforeEach(async () => {
  stores = await LocalStores.open();
});

afterEach(async () => {
  await stores[Symbol.asyncDispose]();
});

test("a copy is made, counted and checked by the target itself", async () => {
  const { object, source, target } = await stage();
  let seen = 0;
  const result = await transfer(object, source, target, {
    onBytes: (count) => void (seen += count),
  });
  expect(result).toMatchObject({
    moved: true,
    bytes: bytes.length,
    copy: { form: "file", bytes: bytes.length },
    evidence: { backend: "cold", cid: object.cid, finding: "present", confidence: "verified" },
  });
  expect(seen).toBe(bytes.length);
});

test("an intact copy at the target stays, and nothing is read from the source", async () => {
  const { object, source, target } = await stage();
  await transfer(object, source, target);
  const unread = { ...source, driver: failing(source.driver, "UNAVAILABLE") };
  const result = await transfer(object, unread, target);
  expect(result).toMatchObject({ moved: false, bytes: 0, evidence: { confidence: "verified" } });
});

test("a corrupt copy at the target is replaced by an intact one", async () => {
  const { object, source, target } = await stage();
  const { copy } = await transfer(object, source, target);
  await stores.damage("cold", copy, 1_234_567);
  const result = await transfer(object, source, target);
  expect(result).toMatchObject({ moved: true, evidence: { finding: "present" } });
});

test("a corrupt source gives no copy, and the error says which backend has to be repaired", async () => {
  const { object, source, target } = await stage();
  await stores.damage("hot", source.copy, bytes.length - 1);
  const error = await failureOf(transfer(object, source, target));
  expect(error).toMatchObject({ code: "CORRUPT", retryable: false });
  expect(error.message).toMatch(/^hot: /);
  expect(transferFault(error)).toMatchObject({
    side: "source",
    backend: "hot",
    evidence: { backend: "hot", cid: object.cid, finding: "corrupt", confidence: "verified" },
  });
  expect(await target.driver.stat(object)).toBeUndefined();
});

test("an absent source is found out, and the index can learn of it", async () => {
  const { object, source, target } = await stage();
  const empty = { ...source, backend: "gone", driver: await stores.driver("gone") };
  const error = await failureOf(transfer(object, empty, target));
  expect(error.code).toBe("NOT_FOUND");
  expect(transferFault(error)).toMatchObject({
    side: "source",
    backend: "gone",
    evidence: { finding: "absent" },
  });
});

test("an intact source whose bytes are damaged on the way is not called corrupt", async () => {
  const { object, source, target } = await stage();
  const cutOff = driverWith(source.driver, {
    read: async (...call) => {
      const stream = await source.driver.read(...call);
      return (async function* () {
        for await (const piece of stream) {
          yield piece.subarray(1);
          return;
        }
      })();
    },
  });
  const error = await failureOf(transfer(object, { ...source, driver: cutOff }, target));
  expect(error).toMatchObject({ code: "UNAVAILABLE", retryable: true });
  expect(transferFault(error)).toMatchObject({ side: "source", evidence: { finding: "present" } });
  expect(await target.driver.stat(object)).toBeUndefined();
});

test("a target that stores something else is not trusted", async () => {
  const { object, source, target } = await stage();
  const lying = driverWith(target.driver, {
    write: async (...call) => {
      const copy = await target.driver.write(...call);
      await stores.damage("cold", copy);
      return copy;
    },
  });
  const error = await failureOf(transfer(object, source, { ...target, driver: lying }));
  expect(error).toMatchObject({ code: "CORRUPT", retryable: true });
  expect(transferFault(error)).toMatchObject({
    side: "target",
    backend: "cold",
    evidence: { finding: "corrupt" },
  });
});

test("a full target is the target's fault, with its own code", async () => {
  const { object, source } = await stage();
  const target = { backend: "tiny", driver: await stores.driver("tiny", 1_000_000) };
  const error = await failureOf(transfer(object, source, target));
  expect(error.code).toBe("NO_SPACE");
  expect(transferFault(error)).toMatchObject({ side: "target", backend: "tiny" });
});

test.each<[Form, readonly Form[], Form]>([
  ["file", ["car"], "car"],
  ["car", ["file"], "file"],
  ["car", ["file", "car"], "car"],
  ["file", ["car", "file"], "file"],
])("a %s goes to a target that stores %j as %s", async (from, forms, to) => {
  const { object, copy } = await stores.put("hot", bytes, from);
  const cold = await stores.driver("cold");
  const capabilities: DriverCapabilities = { ...cold.capabilities, forms };
  const source = { backend: "hot", driver: await stores.driver("hot"), copy };
  const target = { backend: "cold", driver: driverWith(cold, { capabilities }) };
  const result = await transfer(object, source, target);
  expect(result).toMatchObject({
    moved: true,
    copy: { form: to },
    evidence: { finding: "present" },
  });
});

test("a signal stops it and leaves nothing visible", async () => {
  const { object, source, target } = await stage();
  const stop = new AbortController();
  const onBytes = (): void => stop.abort();
  const error = await failureOf(transfer(object, source, target, { signal: stop.signal, onBytes }));
  expect(error.code).toBe("CANCELLED");
  expect(transferFault(error)).toBeUndefined();
  expect(await target.driver.stat(object)).toBeUndefined();
});

test("copies of many files at once, through memory used again and again, are each intact", async () => {
  const target = { backend: "cold", driver: await stores.driver("cold") };
  const driver = await stores.driver("hot");
  const files = await Promise.all(
    Array.from({ length: 12 }, (_, number) => stores.put("hot", bytes.subarray(number * 40_000))),
  );
  const copies = files.map(({ object, copy }) =>
    transfer(object, { backend: "hot", driver, copy }, target),
  );
  for (const { evidence } of await Promise.all(copies)) {
    expect(evidence).toMatchObject({ finding: "present", confidence: "verified" });
  }
});

test("memory of pieces is used again only for a target that says it has done with them", async () => {
  const { object, source, target } = await stage();
  const asked: unknown[] = [];
  const watched = driverWith(source.driver, {
    read: (...call) => {
      asked.push(call[2]?.reuse);
      return source.driver.read(...call);
    },
  });
  const from = { ...source, driver: watched };
  for (const releasesPieces of [true, false]) {
    const driver = driverWith(await stores.driver(`cold-${releasesPieces}`), { releasesPieces });
    await transfer(object, from, { ...target, driver });
  }
  const cars = { ...target.driver.capabilities, forms: ["car"] } as const;
  const toCar = driverWith(await stores.driver("cold-car"), { capabilities: cars });
  await transfer(object, from, { ...target, driver: toCar });
  expect(asked).toEqual([true, false, false]);
});

test("a small object is copied with the same care", async () => {
  const small = bytes.subarray(0, 4_096);
  const { object, source, target } = await stage(small);
  await stores.damage("hot", source.copy, 4_000);
  const error = await failureOf(transfer(object, source, target));
  expect(error).toMatchObject({ code: "CORRUPT", retryable: false });
  expect(transferFault(error)).toMatchObject({ side: "source", evidence: { bytesRead: 4_096 } });
  expect(await target.driver.stat(object)).toBeUndefined();
  await stores.damage("hot", source.copy, 4_000);
  let seen = 0;
  const onBytes = (count: number): void => void (seen += count);
  const first = await transfer(object, source, target, { onBytes });
  expect(first).toMatchObject({ moved: true, bytes: 4_096, evidence: { finding: "present" } });
  expect(seen).toBe(4_096);
  await stores.damage("cold", first.copy, 17);
  const again = await transfer(object, source, target);
  expect(again).toMatchObject({ moved: true, evidence: { finding: "present" } });
  expect(await transfer(object, source, target)).toMatchObject({ moved: false, bytes: 0 });
});

test("a small object from a source that gives it in pieces arrives whole", async () => {
  const { object, source, target } = await stage(bytes.subarray(0, 4_096));
  const inPieces = driverWith(source.driver, {
    read: async () =>
      (async function* () {
        for (let at = 0; at < 4_096; at += 1_000)
          yield bytes.subarray(at, Math.min(at + 1_000, 4_096));
      })(),
  });
  const result = await transfer(object, { ...source, driver: inPieces }, target);
  expect(result).toMatchObject({ moved: true, bytes: 4_096, evidence: { finding: "present" } });
});

async function stage(content: Uint8Array = bytes) {
  const { object, copy } = await stores.put("hot", content);
  const source = { backend: "hot", driver: await stores.driver("hot"), copy };
  return { object, source, target: { backend: "cold", driver: await stores.driver("cold") } };
}

async function failureOf(promise: Promise<unknown>): Promise<EngineError> {
  const thrown: unknown = await promise.then(
    () => new Error("it did not fail"),
    (error: unknown) => error,
  );
  if (thrown instanceof EngineError) return thrown;
  throw thrown;
}

function failing(driver: Driver, code: "UNAVAILABLE"): Driver {
  return driverWith(driver, { read: () => Promise.reject(new EngineError(code, "not reachable")) });
}
