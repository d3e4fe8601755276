import {
  array,
  assert,
  asyncProperty,
  constant,
  integer,
  nat,
  oneof,
  record,
  type Arbitrary,
} from "fast-check";
import { describe, expect, test } from "vitest";
import { type BucketClock, TokenBucket } from "#jobs/limits/token-bucket.ts";

const burstMs = 500;
const burstMin = 4;

describe("a token bucket", () => {
  test("never gives more than rate × time + burst, whatever is asked, cancelled and changed", async () => {
    await assert(
      asyncProperty(array(anyStep(), { minLength: 5, maxLength: 60 }), async (steps) => {
        const clock = new FakeClock();
        const bucket = new TokenBucket({ rate: 10, burstMs, burstMin, clock });
        const granted: { at: number; count: number }[] = [];
        const cancels: AbortController[] = [];
        const rates = [{ from: 0, rate: 10 }];
        for (const next of steps) {
          if (next.kind === "pass") await clock.pass(next.ms);
          else if (next.kind === "rate") {
            bucket.setRate(next.rate);
            rates.push({ from: clock.now(), rate: next.rate });
          } else if (next.kind === "cancel") cancels[next.which % (cancels.length || 1)]?.abort();
          else {
            const cancel = new AbortController();
            cancels.push(cancel);
            const taken = bucket.take(next.count, cancel.signal);
            void taken.then(
              () => granted.push({ at: clock.now(), count: next.count }),
              () => undefined,
            );
          }
          await settle();
        }
        await clock.pass(1_000);
        const bursts = rates.map(({ rate }) => Math.max((rate * burstMs) / 1_000, burstMin));
        for (const { at: end } of granted) {
          const sum = total(granted.filter(({ at }) => at <= end));
          expect(sum).toBeLessThanOrEqual(dripped(rates, end) + Math.max(...bursts) + 1e-3);
        }
      }),
      { numRuns: 300 },
    );
  });

  test("gives everything it promised: who waits is served at the latest when the tokens came", async () => {
    await assert(
      asyncProperty(
        array(integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 20 }),
        integer({ min: 1, max: 50 }),
        async (counts, rate) => {
          const clock = new FakeClock();
          const bucket = new TokenBucket({ rate, burstMs, burstMin, clock });
          let served = 0;
          for (const count of counts) void bucket.take(count).then(() => (served += count));
          await clock.pass(
            Math.ceil((total(counts.map((count) => ({ count }))) / rate) * 1_000) + 50,
          );
          expect(served).toBe(counts.reduce((sum, count) => sum + count, 0));
        },
      ),
      { numRuns: 100 },
    );
  });

  test("a caller that gives up leaves its tokens to the others", async () => {
    const clock = new FakeClock();
    const bucket = new TokenBucket({ rate: 10, burstMs, burstMin, clock });
    await bucket.take(5);
    const cancel = new AbortController();
    const left = bucket.take(100, cancel.signal);
    await clock.pass(500);
    cancel.abort();
    await expect(left).rejects.toMatchObject({ code: "CANCELLED" });
    expect(bucket.busy).toBe(false);
    // The five tokens of that half second are there again.
    await bucket.take(5);
  });

  test("a change of the rate holds at once for who waits already", async () => {
    const clock = new FakeClock();
    const bucket = new TokenBucket({ rate: 1, burstMs, burstMin, clock });
    await bucket.take(4);
    let at = 0;
    void bucket.take(100).then(() => (at = clock.now()));
    await clock.pass(1_000);
    bucket.setRate(99);
    await clock.pass(2_000);
    expect(at).toBeGreaterThan(1_900);
    expect(at).toBeLessThan(2_100);
  });

  test("nothing is given during a hold, and at a rate of nothing", async () => {
    const clock = new FakeClock();
    const bucket = new TokenBucket({ rate: undefined, burstMs, burstMin, clock });
    bucket.holdUntil(3_000);
    let at = 0;
    void bucket.take(1).then(() => (at = clock.now()));
    await clock.pass(5_000);
    expect(at).toBe(3_000);
    bucket.setRate(0);
    void bucket.take(100).then(() => (at = clock.now()));
    await clock.pass(60_000);
    expect(at).toBe(3_000);
    bucket.setRate(undefined);
    await settle();
    expect(at).toBe(clock.now());
  });

  test("what was used without asking is made good before anybody is served", async () => {
    const clock = new FakeClock();
    const bucket = new TokenBucket({ rate: 10, burstMs, burstMin, clock });
    bucket.charge(25);
    let at = 0;
    void bucket.take(5).then(() => (at = clock.now()));
    await clock.pass(5_000);
    expect(at).toBe(2_500);
  });
});

/** Time that passes when the test says so. */
class FakeClock implements BucketClock {
  #now = 0;
  readonly #timers = new Set<{ readonly at: number; readonly act: () => void }>();

  now(): number {
    return this.#now;
  }

  after(ms: number, act: () => void): () => void {
    const timer = { at: this.#now + ms, act };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      const [next] = [...this.#timers].toSorted((a, b) => a.at - b.at);
      if (next === undefined || next.at > end) break;
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.act();
      await settle();
    }
    this.#now = end;
  }
}

type Step =
  | { readonly kind: "take"; readonly count: number }
  | { readonly kind: "pass"; readonly ms: number }
  | { readonly kind: "rate"; readonly rate: number }
  | { readonly kind: "cancel"; readonly which: number };

function anyStep(): Arbitrary<Step> {
  return oneof(
    record({ kind: constant("take" as const), count: integer({ min: 1, max: 30 }) }),
    record({ kind: constant("pass" as const), ms: integer({ min: 1, max: 3_000 }) }),
    record({ kind: constant("rate" as const), rate: integer({ min: 0, max: 100 }) }),
    record({ kind: constant("cancel" as const), which: nat(20) }),
  );
}

/** Promises that are ready run. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
}

function total(parts: readonly { readonly count: number }[]): number {
  return parts.reduce((sum, { count }) => sum + count, 0);
}

/** Tokens that came in between the start and `end`. */
function dripped(rates: readonly { from: number; rate: number }[], end: number): number {
  return rates.reduce((sum, { from, rate }, at) => {
    const until = Math.min(rates[at + 1]?.from ?? end, end);
    return sum + (rate * Math.max(0, until - from)) / 1_000;
  }, 0);
}
