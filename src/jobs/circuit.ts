/**
 * A circuit breaker (Nygard, "Release It!") as a value: `closed` lets work through, `open` holds
 * it, `half-open` lets it through on trial. Times are milliseconds of one clock.
 */
export interface Circuit {
  readonly state: "closed" | "open" | "half-open";
  /** When it came into this state. */
  readonly since: number;
  /** Moments of recent failures while closed. */
  readonly failures: readonly number[];
  /** How often in a row it was opened or a probe failed: the longer, the rarer the probes. */
  readonly level: number;
  /** When it is probed next; undefined while closed. */
  readonly nextProbe: number | undefined;
}

/** So many failures within the window open a circuit: one may be a mishap, two are a pattern. */
export const failuresToOpen = 2;
export const failureWindowMs = 60_000;
export const probeDelayMinMs = 1_000;
export const probeDelayMaxMs = 60_000;
/** A trial that brings no failure for so long has succeeded. */
const trialMs = 10_000;
/** Opened again within this time after it closed, it goes on where its backoff was. */
export const relapseMs = 60_000;

/** A circuit that nothing is known against. */
export function closedCircuit(at: number): Circuit {
  return { state: "closed", since: at, failures: [], level: 0, nextProbe: undefined };
}

/** After something failed: a report of a worker, or a probe. */
export function afterFailure(circuit: Circuit, at: number): Circuit {
  if (circuit.state === "open") {
    // Work that was under way when it opened tells nothing new; a probe that was due does.
    if (circuit.nextProbe === undefined || at < circuit.nextProbe) return circuit;
    return { ...opened(circuit, at, circuit.level + 1), since: circuit.since };
  }
  if (circuit.state === "half-open") return opened(circuit, at, circuit.level + 1);
  const failures = [...circuit.failures.filter((time) => time > at - failureWindowMs), at];
  if (failures.length < failuresToOpen) return { ...circuit, failures };
  const relapsed = circuit.level > 0 && at - circuit.since < relapseMs;
  return opened(circuit, at, relapsed ? circuit.level + 1 : 1);
}

/** After a probe that was answered as it should be. */
export function afterSuccess(circuit: Circuit, at: number): Circuit {
  if (circuit.state === "closed") {
    const failures = circuit.failures.filter((time) => time > at - failureWindowMs);
    return failures.length === circuit.failures.length ? circuit : { ...circuit, failures };
  }
  return { ...closedCircuit(at), level: circuit.level };
}

/** Lets work through to see how it fares, where a probe alone cannot tell. */
export function onTrial(circuit: Circuit, at: number): Circuit {
  if (circuit.state !== "open") return circuit;
  return { ...circuit, state: "half-open", since: at, nextProbe: at + trialMs };
}

/** Whether it is time to probe, or to judge a trial. */
export function isProbeDue(circuit: Circuit, at: number): boolean {
  return circuit.nextProbe !== undefined && at >= circuit.nextProbe;
}

function opened(circuit: Circuit, at: number, level: number): Circuit {
  const delayMs = Math.min(probeDelayMinMs * 2 ** Math.min(level - 1, 20), probeDelayMaxMs);
  return { ...circuit, state: "open", since: at, failures: [], level, nextProbe: at + delayMs };
}
