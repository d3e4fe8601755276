import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  afterFailure,
  afterSuccess,
  type Circuit,
  closedCircuit,
  failuresToOpen,
  failureWindowMs,
  isProbeDue,
  onTrial,
  probeDelayMaxMs,
  probeDelayMinMs,
  relapseMs,
} from "#jobs/circuit.ts";

type Event = "failure" | "success" | "trial";
const steps = fc.array(
  fc.record({
    afterMs: fc.integer({ min: 0, max: 90_000 }),
    event: fc.constantFrom<Event>("failure", "failure", "success", "trial"),
  }),
  { maxLength: 80 },
);
const effects = { failure: afterFailure, success: afterSuccess, trial: onTrial };

interface Moment {
  readonly at: number;
  readonly event: Event;
  readonly before: Circuit;
  readonly after: Circuit;
}

/** The history of a circuit under a sequence of events. */
function historyOf(events: readonly { afterMs: number; event: Event }[]): readonly Moment[] {
  let at = 0;
  let circuit = closedCircuit(at);
  return events.map(({ afterMs, event }) => {
    at += afterMs;
    const before = circuit;
    circuit = effects[event](circuit, at);
    return { at, event, before, after: circuit };
  });
}

/** A history in which something does not hold at some moment, if any can be found. */
function counterexample(holds: (moment: Moment, history: readonly Moment[]) => boolean): unknown {
  const property = fc.property(steps, (events) => {
    const history = historyOf(events);
    return history.every((moment) => holds(moment, history));
  });
  return fc.check(property, { numRuns: 500 }).counterexample;
}

test("a circuit opens only after enough failures within the window, and then always", () => {
  const found = counterexample(({ at, event, before, after }, history) => {
    if (before.state !== "closed") return true;
    const recent = history.filter(
      (moment) =>
        moment.event === "failure" &&
        moment.at > at - failureWindowMs &&
        moment.at <= at &&
        moment.before.state === "closed" &&
        moment.before.since === before.since,
    );
    const position = history.findIndex((moment) => moment.after === after);
    const until = recent.filter((moment) => history.indexOf(moment) <= position);
    const opens = event === "failure" && until.length >= failuresToOpen;
    return (after.state === "open") === opens;
  });
  expect(found).toBeNull();
});

test("an open circuit closes by a success alone, and is never without a next probe", () => {
  const found = counterexample(({ event, before, after }) => {
    if (before.state === "open" && after.state === "closed") return event === "success";
    return (after.state === "closed") === (after.nextProbe === undefined);
  });
  expect(found).toBeNull();
});

test("probes get rarer with each failure in a row, and stay within their bounds", () => {
  const found = counterexample(({ at, event, before, after }) => {
    if (event !== "failure" || after.state !== "open" || after === before) return true;
    const delay = (after.nextProbe ?? 0) - at;
    const within = delay >= probeDelayMinMs && delay <= probeDelayMaxMs;
    return within && (before.state === "closed" || after.level === before.level + 1);
  });
  expect(found).toBeNull();
});

test("reports of work that was under way when it opened do not put the next probe off", () => {
  const broken = afterFailure(afterFailure(closedCircuit(0), 0), 1);
  expect(broken).toMatchObject({ state: "open", nextProbe: 1 + probeDelayMinMs });
  expect(afterFailure(broken, 500)).toBe(broken);
  expect(isProbeDue(broken, 1_000)).toBe(false);
  expect(isProbeDue(broken, 1_001)).toBe(true);
  expect(afterFailure(broken, 1_001)).toMatchObject({ state: "open", since: 1, nextProbe: 3_001 });
});

test("a relapse goes on with the backoff, a circuit that stayed closed begins anew", () => {
  const closed = afterSuccess(open(closedCircuit(0), 0), 5_000);
  expect(open(closed, 5_000 + relapseMs - 1).level).toBe(2);
  expect(open(closed, 5_000 + relapseMs).level).toBe(1);
});

test("a failure on trial opens again at once", () => {
  const broken = afterFailure(afterFailure(closedCircuit(0), 0), 1);
  const trial = onTrial(broken, 2_000);
  expect(trial.state).toBe("half-open");
  expect(afterFailure(trial, 2_500)).toMatchObject({ state: "open", level: 2 });
  expect(afterSuccess(trial, 12_000)).toMatchObject({ state: "closed" });
});

function open(circuit: Circuit, at: number): Circuit {
  return afterFailure(afterFailure(circuit, at), at);
}
