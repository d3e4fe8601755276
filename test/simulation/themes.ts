import type { FaultKind } from "./faults.ts";
import type { Random } from "./random.ts";
import type { WantedAction } from "./simulated-index.ts";
import type { Setup } from "./world.ts";

/** Narrows what a schedule draws, so that what is rare by pure chance happens often. */
export interface Theme {
  /** Only these go wrong, most of them in each schedule; missing: any set of all kinds. */
  readonly faults?: readonly FaultKind[];
  /** Changes what was drawn. */
  readonly setup?: (random: Random, setup: Setup) => Partial<Setup>;
  /** How likely a call fails in one of the ways that are enabled; missing: drawn. */
  readonly rate?: number;
  /** How likely something happens just before or after a removal, or when it is permitted. */
  readonly strikes?: number;
  /** What the runs want; missing: anything. */
  readonly actions?: (random: Random, setup: Setup) => readonly WantedAction[];
}

export const themeNames = [
  "everything",
  "takeover",
  "rivals",
  "damage",
  "rot",
  "expiry",
  "clocks",
  "checks",
  "restraint",
  "deletion",
  "planner",
  "policies",
  "spreads",
] as const;
export type ThemeName = (typeof themeNames)[number];

const slowly = [20, 3_000] as const;

export const themes: Readonly<Record<ThemeName, Theme>> = {
  /** Any faults, any plans. */
  everything: {},
  /** Jobs that change hands while calls of the worker before are under way. */
  takeover: {
    faults: ["lost-lock", "freeze", "crash-worker", "late-effect", "slow", "queue-lost", "cancel"],
    rate: 0.1,
    strikes: 0.4,
    setup: (random) => ({
      latencyMs: [20, 1_000],
      workers: 3,
      permitTtlMs: random.pick([60_000, 180_000]),
      calmAtMs: 90_000,
      often: 0,
      runs: 2,
    }),
    actions: evictions,
  },
  /** Runs that want to remove all copies of the same objects at the same time. */
  rivals: {
    faults: ["slow", "late-effect", "reordering", "lost-lock", "hold", "crash-controller"],
    strikes: 0.1,
    setup: (_random, setup) => ({
      latencyMs: slowly,
      placed: Array.from({ length: Math.min(2, setup.objects) }, () => setup.backends),
      objects: Math.min(2, setup.objects),
      runs: 3,
      runsWithinMs: 2_000,
      often: 2,
    }),
    actions: evictions,
  },
  /** Copies that are not what the index believes. */
  damage: {
    faults: ["bit-rot", "lying-write", "torn-write", "lost-write", "wire-damage", "import-again"],
    rate: 0.1,
    setup: (random, setup) => ({
      placed: [setup.backends.filter((_, id) => id === 0 || random.chance(0.7))],
      objects: 1,
      minimumCopies: 1,
      calmAtMs: 30_000,
      proofAgeMaxMs: random.pick([0, 3_600_000, 3_600_000]),
      runs: 4,
      often: 3,
    }),
  },
  /** Copies that rot, are found out when they are copied, and must justify no removal then. */
  rot: {
    faults: ["bit-rot"],
    setup: (_random, setup) => ({
      placed: [setup.backends],
      objects: 1,
      minimumCopies: 1,
      calmAtMs: 30_000,
      proofAgeMaxMs: 3_600_000,
      runs: 5,
      often: 4,
    }),
  },
  /** Permits that run out while work stands still. */
  expiry: {
    faults: ["pause", "freeze", "outage", "slow", "late-effect", "crash-worker"],
    strikes: 0.4,
    setup: (random) => ({
      latencyMs: [20, 1_000],
      permitTtlMs: random.pick([5_000, 15_000]),
      calmAtMs: 240_000,
      runs: 3,
      runsWithinMs: 60_000,
      often: 2,
    }),
    actions: evictions,
  },
  /** The clock of the controller is set by minutes, also while controllers follow each other. */
  clocks: {
    faults: ["clock-step", "crash-controller", "freeze", "late-effect", "slow", "lost-lock"],
    rate: 0.1,
    strikes: 0.3,
    setup: (random, setup) => ({
      latencyMs: [20, 1_000],
      placed: Array.from({ length: Math.min(2, setup.objects) }, () => setup.backends),
      objects: Math.min(2, setup.objects),
      workers: 3,
      permitTtlMs: random.pick([60_000, 180_000]),
      calmAtMs: 300_000,
      runs: 4,
      runsWithinMs: 30_000,
      often: 1,
    }),
    actions: evictions,
  },
  /** Copies rot while people have them checked, and the findings are told in any order. */
  checks: {
    faults: ["bit-rot", "verify", "slow", "import-again", "crash-controller", "lost-write"],
    rate: 0.05,
    setup: (_random, setup) => ({
      placed: [setup.backends],
      objects: 1,
      minimumCopies: 1,
      calmAtMs: 120_000,
      proofAgeMaxMs: 3_600_000,
      runs: 6,
      often: 4,
    }),
  },
  /** Cordons, standing pauses, suspensions, closed windows and outages come and go while work is under way. */
  restraint: {
    faults: ["cordon", "standing-pause", "suspend", "outage", "slow", "crash-controller", "freeze"],
    setup: (random) => ({
      latencyMs: [1, 300],
      queuedPerLaneMax: random.pick([1, 2]),
      calmAtMs: 90_000,
      watched: true,
      ...(random.chance(0.5) ? { denied: deniedMinutes(random) } : {}),
      runs: 4,
      often: 2,
    }),
  },
  /** A delete rule for everything, and people who want some of it after all. */
  deletion: {
    faults: [
      "hold",
      "policy-hold",
      "hand-in",
      "reads",
      "pause",
      "standing-pause",
      "late-effect",
      "lost-lock",
      "crash-worker",
      "crash-controller",
      "freeze",
    ],
    strikes: 0.1,
    setup: (random, setup) => ({
      latencyMs: [20, 1_000],
      placed: setup.placed.slice(0, 2),
      objects: Math.min(2, setup.objects),
      graceMs: random.pick([10_000, 30_000]),
      permitTtlMs: random.pick([5_000, 20_000, 60_000]),
      calmAtMs: 180_000,
      runs: 12,
      often: 2,
    }),
  },
  /** Policies that want copies of objects of which runs were begun to give up some, or all. */
  policies: {
    faults: [
      "policy-promise",
      "policy-promise",
      "slow",
      "late-effect",
      "pause",
      "crash-controller",
    ],
    strikes: 0.1,
    setup: (random, setup) => ({
      latencyMs: slowly,
      placed: Array.from({ length: Math.min(2, setup.objects) }, () => setup.backends),
      objects: Math.min(2, setup.objects),
      permitTtlMs: 60_000,
      calmAtMs: 120_000,
      runs: 8,
      runsWithinMs: 100_000,
      often: 3,
      ...(random.chance(0.5) ? { graceMs: 10_000 } : {}),
    }),
    actions: evictions,
  },
  /** Runs that want to remove all copies and must leave them spread; a storage may have two names. */
  spreads: {
    faults: ["slow", "late-effect", "reordering", "lost-lock", "outage", "crash-controller"],
    strikes: 0.1,
    setup: (random) => {
      const backends = ["alpha", "beta", "gamma", "delta"];
      const pairs = [
        ["alpha", "beta"],
        ["beta", "delta"],
        ["gamma", "delta"],
      ] as const;
      return {
        backends,
        latencyMs: slowly,
        placed: [backends, random.some(backends, 0.8)],
        objects: 2,
        minimumCopies: 1,
        permitTtlMs: random.pick([60_000, 180_000]),
        calmAtMs: 90_000,
        watched: true,
        runs: 4,
        runsWithinMs: random.pick([2_000, 60_000]),
        often: 2,
        keeps: keptSpread(random),
        ...(random.chance(0.6) ? { sameStorage: random.pick(pairs) } : {}),
      };
    },
    actions: (random, setup) =>
      evictions(random, setup).map((action) =>
        setup.keeps === undefined ? action : { ...action, requirements: [setup.keeps] },
      ),
  },
  /** Runs of what the planner wants, planned again and again; on the real index only. */
  planner: {
    setup: (random) => ({
      backends: ["alpha", "beta", "gamma", "delta"],
      objects: 4,
      placed: Array.from({ length: 4 }, () => {
        const some = random.some(["alpha", "beta", "gamma", "delta"], 0.6);
        return some.length > 0 ? some : ["alpha"];
      }),
      // With permits that run out on the way to their worker, planning comes to no rest.
      latencyMs: [1, 300],
      permitTtlMs: random.pick([60_000, 180_000]),
      calmAtMs: 120_000,
      planned: true,
      runs: 8,
    }),
  },
};

function deniedMinutes(random: Random): NonNullable<Setup["denied"]> {
  const from = random.below(2);
  const onClose = random.pick(["checkpoint", "finish-object", "continue"] as const);
  return { from, to: from + 1 + random.below(2), onClose };
}

/** Two copies in different values of something, of which there are two or three. */
function keptSpread(random: Random): NonNullable<Setup["keeps"]> {
  const groups = random.pick([
    ["3", "12"],
    ["5", "10"],
    ["1", "14"],
    ["7", "8"],
    ["3", "4", "8"],
  ]);
  const spread = { per: "region", values: 2, groups };
  return { rule: "simulation/spread", backends: "15", copies: 2, confidence: "verified", spread };
}

/** Every copy of some objects is wanted away, in any order: the last ones have to stay. */
function evictions(random: Random, setup: Setup): readonly WantedAction[] {
  const none = { source: null, target: null, requirements: [] };
  return setup.backends.flatMap((_, victim) =>
    random
      .some(setup.placed)
      .map((places) => ({ ...none, verb: "evict", object: setup.placed.indexOf(places), victim })),
  );
}
