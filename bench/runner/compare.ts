import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type Cost, costOf, median } from "../median.ts";
import type { Measurement } from "./benchmark.ts";

export interface Comparison {
  readonly what: string;
  readonly ours: () => Promise<unknown>;
  readonly peer: () => Promise<unknown>;
  readonly peerName: string;
  /** Makes everything as it was before ours is taken again; costs nothing. */
  readonly restore?: () => Promise<unknown>;
  readonly rounds: number;
  /** Takes both sides once before any round counts: else whoever is first reads the file for both. */
  readonly warm?: boolean;
  readonly goal?: number;
  /** How many things one round does: the time of one of them is told. */
  readonly times?: number;
  /** How many rows one round gives: then rows a second are told, and more is better. */
  readonly rows?: number;
  /** Rows of the peer's round, when it is not given as many. */
  readonly peerRows?: number;
}

export type Side = "ours" | "peer";

let onlySide: Side | undefined;

/** From now on in this process only that side is taken, once: its memory is to be known. */
export function takeOnly(side: Side | undefined): void {
  onlySide = side;
}

/** What both sides cost, taken in turn. */
export async function compare(comparison: Comparison): Promise<Measurement> {
  const { what, peerName, goal, rounds, ours, peer, times = 1, rows } = comparison;
  const { peerRows = rows } = comparison;
  const costs: { ours: Cost[]; peer: Cost[] } = { ours: [], peer: [] };
  if (onlySide !== undefined) {
    await comparison.restore?.();
    costs[onlySide].push(await costOf(comparison[onlySide]));
    const figures = { ours: Number.NaN, peer: Number.NaN, ratio: Number.NaN };
    return { what, peerName, unit: "s", better: "less", ...figures };
  }
  if (comparison.warm === true) {
    await peer();
    await ours();
  }
  for (let round = 0; round < rounds; round += 1) {
    await comparison.restore?.();
    // What one side leaves behind is not collected at the other's cost.
    collectGarbage();
    costs.ours.push(await costOf(ours));
    collectGarbage();
    costs.peer.push(await costOf(peer));
  }
  const told = (cost: keyof Cost) => {
    const mine = costs.ours.map((one) => figure(one[cost], times, rows));
    const theirs = costs.peer.map((one) => figure(one[cost], times, peerRows));
    const ratio = median(mine.map((one, round) => one / (theirs[round] ?? Number.NaN)));
    return { ours: median(mine), peer: median(theirs), ratio };
  };
  return {
    what,
    peerName,
    unit: rows === undefined ? "s" : "rows/s",
    better: rows === undefined ? "less" : "more",
    ...told("seconds"),
    processor: told("processor"),
    ...(goal === undefined ? {} : { goal }),
  };
}

/** A figure that was counted, or taken together with another one. */
export function counted(measurement: Omit<Measurement, "ratio">): Measurement {
  return { ...measurement, ratio: measurement.ours / measurement.peer };
}

function figure(seconds: number, times: number, rows: number | undefined): number {
  return rows === undefined ? seconds / times : rows / seconds;
}

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;
