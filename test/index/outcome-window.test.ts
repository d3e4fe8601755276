import { assert, integer, property, record, array, double } from "fast-check";
import { expect, test } from "vitest";
import {
  type OutcomeCount,
  type OutcomeWindow,
  slideWindow,
  tooManyFailures,
} from "#index/failures/outcome-window.ts";

const count = record({ done: integer({ min: 0, max: 40 }), failed: integer({ min: 0, max: 40 }) });
const size = ({ done, failed }: OutcomeCount) => done + failed;
const total = (window: OutcomeWindow) => window.reduce((sum, part) => sum + size(part), 0);
const slide = (counts: readonly OutcomeCount[], minimum: number) =>
  counts.reduce<OutcomeWindow>((window, part) => slideWindow(window, part, minimum), []);

test("the window is the newest commits, enough for the minimum and not one more", () => {
  assert(
    property(array(count, { maxLength: 60 }), integer({ min: 1, max: 120 }), (counts, minimum) => {
      const window = slide(counts, minimum);
      const heard = counts.filter((part) => size(part) > 0);
      expect(window).toEqual(heard.slice(heard.length - window.length));
      expect(total(window)).toBeGreaterThanOrEqual(Math.min(minimum, total(heard)));
      const rest = window.length > 1 ? total(window.slice(1)) : 0;
      expect(rest).toBeLessThan(minimum);
    }),
  );
});

test("a policy is suspended exactly when the share of its newest outcomes reaches the limit", () => {
  const share = double({ min: 0.01, max: 1, noNaN: true });
  assert(
    property(array(count), integer({ min: 1, max: 99 }), share, (counts, minimum, suspendAt) => {
      const window = slide(counts, minimum);
      const failed = window.reduce((sum, part) => sum + part.failed, 0);
      const outcomes = total(window);
      const tooMany = outcomes >= minimum && failed > 0 && failed >= suspendAt * outcomes;
      const verdict = tooManyFailures(window, { suspendAt, minimum });
      expect(verdict).toEqual(tooMany ? { failed, outcomes } : undefined);
    }),
  );
});

test("however much went well before, as many failures in a row as the minimum suspend", () => {
  assert(
    property(array(count), integer({ min: 1, max: 99 }), (counts, minimum) => {
      const failing = Array.from({ length: minimum }, () => ({ done: 0, failed: 1 }));
      const window = slide([...counts, ...failing], minimum);
      expect(tooManyFailures(window, { suspendAt: 1, minimum })).toEqual({
        failed: minimum,
        outcomes: minimum,
      });
    }),
  );
});
