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
  /** What the runs want; missing: anything. */
  readonly actions?: (random: Random, setup: Setup) => readonly WantedAction[];
}

export const themeNames = ["everything", "takeover", "rivals", "damage", "expiry"] as const;
export type ThemeName = (typeof themeNames)[number];

const slowly = [20, 3_000] as const;

export const themes: Readonly<Record<ThemeName, Theme>> = {
  /** Any faults, any plans. */
  everything: {},
  /** Jobs that change hands while calls of the worker before are under way. */
  takeover: {
    faults: ["lost-lock", "freeze", "crash-worker", "late-effect", "slow", "queue-lost", "cancel"],
    setup: (random) => ({
      latencyMs: slowly,
      workers: 3,
      permitTtlMs: random.pick([60_000, 180_000]),
      calmAtMs: 60_000,
      often: 4,
      runs: 3,
    }),
    actions: evictions,
  },
  /** Runs that want to remove all copies of the same objects at the same time. */
  rivals: {
    faults: ["slow", "late-effect", "reordering", "lost-lock", "hold", "crash-controller"],
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
    setup: (random) => ({
      calmAtMs: 30_000,
      proofAgeMaxMs: random.pick([0, 3_600_000, 3_600_000]),
      runs: 3,
      often: 4,
    }),
  },
  /** Permits that run out while work stands still. */
  expiry: {
    faults: ["pause", "freeze", "outage", "slow", "late-effect", "cancel", "crash-worker"],
    setup: () => ({
      latencyMs: slowly,
      permitTtlMs: 5_000,
      calmAtMs: 240_000,
      runs: 3,
      runsWithinMs: 60_000,
      often: 6,
    }),
    actions: evictions,
  },
};

/** Every copy of some objects is wanted away, in any order: the last ones have to stay. */
function evictions(random: Random, setup: Setup): readonly WantedAction[] {
  const none = { source: null, target: null, requirements: [] };
  return setup.backends.flatMap((_, victim) =>
    random
      .some(setup.placed)
      .map((places) => ({ ...none, verb: "evict", object: setup.placed.indexOf(places), victim })),
  );
}
