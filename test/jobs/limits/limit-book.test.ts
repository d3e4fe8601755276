import { expect, test } from "vitest";
import { LimitBook, type OverrideStore } from "#jobs/limits/limit-book.ts";
import { rateRule } from "#jobs/admission/rate.ts";
import { parseBandwidth } from "#model/bandwidth.ts";
import { type BackendUse, defaultLimits, type LimitOverride } from "#model/backend-limits.ts";

const MiB = 1024 * 1024;

test("the configuration counts, with what its timetable says at the time and what comes next", async () => {
  const { book } = await open("2026-11-21T07:30:00Z");
  expect(book.of("cold")).toMatchObject({
    concurrency: 16,
    rate: "off",
    bandwidth: "off",
    timetable: "08:00,10M 19:00,off",
    entry: "19:00,off",
    nextChange: { at: "2026-11-21T08:00:00.000Z", bandwidth: "10M" },
  });
});

test("what is set while running counts over it, survives a restart, and ends in time", async () => {
  const { book, store, clock } = await open("2026-11-21T09:00:00Z");
  await book.set({ backend: "cold", bandwidth: "1M", until: "2026-11-21T10:00:00.000Z" });
  await book.set({ backend: "cold", concurrency: 2 });
  expect(book.of("cold")).toMatchObject({ bandwidth: "1M", concurrency: 2 });
  const restarted = await open("2026-11-21T09:30:00Z", store);
  expect(restarted.book.of("cold")).toMatchObject({ bandwidth: "1M", concurrency: 2 });
  expect(restarted.book.concurrency()).toEqual(new Map([["cold", 2]]));
  clock.now = new Date("2026-11-21T10:00:00Z");
  expect(book.of("cold")).toMatchObject({ bandwidth: "10M", concurrency: 16 });
  await restarted.book.reset("cold");
  expect(restarted.book.of("cold")).toMatchObject({ bandwidth: "10M", concurrency: 16 });
  expect(await store.overrides()).toEqual([]);
});

test("nonsense is refused before anything is stored", async () => {
  const { book, store } = await open("2026-11-21T09:00:00Z");
  const set = (override: Omit<LimitOverride, "backend">, backend = "cold") =>
    book.set({ backend, ...override });
  await expect(set({ bandwidth: "fast" })).rejects.toMatchObject({ code: "INVALID_DOCUMENT" });
  await expect(set({ rate: "often" })).rejects.toMatchObject({ code: "INVALID_DOCUMENT" });
  await expect(set({ rate: "1/s" }, "nowhere")).rejects.toMatchObject({ code: "NOT_FOUND" });
  const until = "2026-11-21T08:00:00.000Z";
  await expect(set({ concurrency: 1, until })).rejects.toMatchObject({ code: "USAGE" });
  expect(await store.overrides()).toEqual([]);
});

test("two busy nodes share the bandwidth, and the lane says what it waits for", async () => {
  const { book, clock } = await open("2026-11-21T09:00:00Z");
  for (let round = 0; round < 3; round += 1) {
    clock.now = new Date(clock.now.getTime() + 1_000);
    for (const node of ["a", "b"]) book.share({ node, backends: [busy()] });
  }
  expect(book.share({ node: "a", backends: [busy()] })).toEqual([
    { backend: "cold", perNode: 4, upload: 5 * MiB, download: 5 * MiB },
  ]);
  expect(book.of("cold").nodes).toEqual(["a", "b"]);
  expect(book.laneWait("cold")).toMatchObject({
    reason: "bandwidth",
    message: "cold is limited to 10M bytes per second",
    until: "2026-11-21T19:00:00.000Z",
  });
  expect(book.laneWait("index")).toBeUndefined();
});

test("an idle node gets no share, but learns how many batches it may take", async () => {
  const { book } = await open("2026-11-21T09:00:00Z");
  await book.set({ backend: "cold", perNode: 7 });
  const use = { ...busy(), active: false };
  expect(book.share({ node: "a", backends: [use] })).toEqual([{ backend: "cold", perNode: 7 }]);
});

test("a backend that asks one node to wait holds back all of them, and new work too", async () => {
  const { book, clock } = await open("2026-11-21T09:00:00Z");
  const heard: unknown[] = [];
  book.onHold((backend, ms) => heard.push([backend, ms]));
  book.share({ node: "a", backends: [{ ...busy(), holdMs: 20_000 }] });
  clock.now = new Date("2026-11-21T09:00:05Z");
  expect(book.share({ node: "b", backends: [busy()] })).toMatchObject([{ holdMs: 15_000 }]);
  expect(heard).toEqual([["cold", 20_000]]);
  const rule = rateRule(book);
  const work = { runId: "r", policy: "p", verb: "replicate", source: "hot", victim: null } as const;
  const pending = { ...work, target: "cold", lane: "cold", node: undefined };
  expect(rule.judge(pending, clock.now)).toEqual({
    reason: "rate",
    message: "cold asked to wait before it is called again",
    until: "2026-11-21T09:00:20.000Z",
  });
  expect(rule.judge({ ...pending, node: "a" }, clock.now)).toBeUndefined();
  expect(rule.judge(pending, new Date("2026-11-21T09:00:20Z"))).toBeUndefined();
});

async function open(at: string, store: OverrideStore = memoryStore()) {
  const clock = { now: new Date(at) };
  const bandwidth = parseBandwidth("08:00,10M 19:00,off");
  const limits = { ...defaultLimits, bandwidth, timeZone: "UTC" };
  const backends = [{ name: "cold", limits }];
  const book = new LimitBook({ backends, store, now: () => clock.now });
  await book.load();
  return { book, store, clock };
}

function memoryStore(): OverrideStore {
  const kept = new Map<string, LimitOverride>();
  return {
    overrides: async () => [...kept.values()],
    setOverride: async (override) => void kept.set(override.backend, override),
    removeOverride: async (backend) => void kept.delete(backend),
  };
}

function busy(): BackendUse {
  const hungry = { wanted: null };
  return { backend: "cold", active: true, upload: hungry, download: hungry, requests: hungry };
}
