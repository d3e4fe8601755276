import type { BackendFacts, NewObject } from "#model/index-store.ts";
import { freeOfCharge } from "#model/backend.ts";
import type { CopyRequirement, CopySpread } from "#model/plan.ts";
import { tiers } from "#model/copy.ts";
import type { Closing } from "#policies/timing/windows.ts";
import type { Faults } from "./faults.ts";
import { ModelBackend } from "./model-backend.ts";
import { modelCapabilities } from "./model-driver.ts";
import type { Random } from "./random.ts";
import { contents } from "./samples.ts";
import type { WantedAction } from "./simulated-index.ts";
import type { Theme } from "./themes.ts";
import { simulationStart } from "./virtual-time.ts";
import { undescribed } from "../index/undescribed.ts";

/** How one schedule is set up: everything that is drawn before it begins. */
export interface Setup {
  readonly backends: readonly string[];
  readonly objects: number;
  /** Backends that hold an object at the start, by its number. */
  readonly placed: readonly (readonly string[])[];
  readonly minimumCopies: number;
  readonly permitTtlMs: number;
  readonly proofAgeMaxMs: number;
  readonly queuedPerLaneMax: number;
  readonly objectsAtOnce: number;
  readonly workers: number;
  readonly capacityBytes: number | undefined;
  readonly latencyMs: readonly [number, number];
  /** When everything that goes wrong is over. */
  readonly calmAtMs: number;
  /** How many runs there are; missing: any number. */
  readonly runs?: number;
  /** They begin within so much of each other; missing: until it gets calm. */
  readonly runsWithinMs?: number;
  /** How many times as often as usual things happen. */
  readonly often: number;
  /** Whether the controller asks backends how they are, and holds the work of those that are out. */
  readonly watched?: boolean;
  /** Whether a removal is two requests to the backend. */
  readonly looksFirst?: boolean;
  /** When the policy of the runs may not act, in minutes since the start. */
  readonly denied?: { readonly from: number; readonly to: number; readonly onClose: Closing };
  /** Whether runs are of what policies want, where the index can be planned over. */
  readonly planned?: boolean;
  /** What every removal has to leave, in whatever order they come. */
  readonly keeps?: CopyRequirement & { readonly spread: CopySpread };
  /** Two names of one storage, as the index knows; only the model of the index is told. */
  readonly sameStorage?: readonly [string, string];
  /** So long a mark for deletion has to stand; missing: nothing is marked. */
  readonly graceMs?: number;
}

export function drawSetup(
  random: Random,
  faults: Faults,
  theme: Theme,
  more: Random | undefined,
): Setup {
  const backends = ["alpha", "beta", "gamma", "delta"].slice(0, 2 + random.below(3));
  const objects = 1 + random.below(4);
  const setup: Setup = {
    backends,
    objects,
    placed: Array.from({ length: objects }, () => {
      const some = random.some(backends, 0.6);
      return some.length > 0 ? some : [random.pick(backends)];
    }),
    minimumCopies: random.pick([1, 1, 1, 2]),
    permitTtlMs: random.pick([5_000, 20_000, 60_000, 180_000]),
    proofAgeMaxMs: random.pick([0, 20_000, 3_600_000]),
    queuedPerLaneMax: random.pick([1, 4, 50]),
    objectsAtOnce: random.pick([1, 3, 8]),
    workers: 1 + random.below(3),
    capacityBytes: faults.enabled.has("full-backend") ? 120 + random.below(250) : undefined,
    latencyMs: random.pick([
      [0, 2],
      [1, 200],
      [1, 3_000],
    ] as const),
    calmAtMs: random.pick([30_000, 90_000, 240_000]),
    often: 1,
  };
  const newer =
    more === undefined ? {} : { watched: more.chance(0.5), looksFirst: more.chance(0.5) };
  return { ...setup, ...newer, ...theme.setup?.(random, setup) };
}

/** The backends with what they hold at the start. */
export function placeCopies(setup: Setup, now: () => number): Map<string, ModelBackend> {
  const backends = new Map<string, ModelBackend>();
  const [one, other] = setup.sameStorage ?? [];
  for (const name of setup.backends) {
    const storage = name === other ? backends.get(one ?? "") : undefined;
    backends.set(name, new ModelBackend(name, setup.capacityBytes, now, storage));
  }
  for (const [number, places] of setup.placed.entries()) {
    const content = contents[number];
    if (content === undefined) continue;
    const thing = { cid: content.object.cid, bytes: content.bytes, intact: true };
    for (const place of places) backends.get(place)?.put(thing);
  }
  return backends;
}

/** What the index is told at the start: every copy was verified just now. */
export function knownObjects(setup: Setup): readonly NewObject[] {
  return setup.placed.map((places, number) => knownObject(number, places, simulationStart));
}

/** One object with its copies at some places, verified at that moment. */
export function knownObject(number: number, places: readonly string[], checkedAt: Date): NewObject {
  const { object, bytes } = contents[number] ?? { object: undefined, bytes: undefined };
  if (object === undefined) throw new RangeError(`there is no content ${number}`);
  return {
    ...object,
    names: [`/simulation/${number}`],
    ...undescribed,
    copies: places.map((backend) => ({
      backend,
      copy: { locator: object.cid, form: "file" as const, bytes: bytes.length },
      state: "present" as const,
      confidence: "verified" as const,
      checkedAt,
    })),
  };
}

export function backendFacts(setup: Setup): readonly BackendFacts[] {
  return setup.backends.map((name, position) => ({
    name,
    driver: "model",
    tier: tiers[position % tiers.length] ?? "hot",
    region: undefined,
    labels: {},
    capacityBytes: setup.capacityBytes,
    price: freeOfCharge,
    capabilities: modelCapabilities,
  }));
}

/**
 * Actions of a plan as careless as can be: several wishes about one object, also wishes that
 * contradict each other or those of other runs. The protocol has to be safe with any plan.
 */
export function drawActions(random: Random, setup: Setup): readonly WantedAction[] {
  const ids = setup.backends.map((_, id) => id);
  const actions = Array.from({ length: 2 + random.below(7) }, (): WantedAction => {
    const object = random.below(setup.objects);
    const [source, target] = [random.pick(ids), random.pick(ids)];
    const none = { source: null, target: null, victim: null, requirements: [] };
    const kind = random.pick([
      "evict",
      "evict",
      "evict",
      "replicate",
      "demote",
      "demote",
      "promote",
    ]);
    if (kind === "evict") {
      const requirements = random.chance(0.2) ? [requirement(random, ids)] : [];
      return { ...none, verb: "evict", object, victim: source, requirements };
    }
    if (kind === "replicate") return { ...none, verb: "replicate", object, source, target };
    const verb = kind === "demote" ? "demote" : "promote";
    return { ...none, verb, object, source, target, victim: source };
  });
  const wanted = actions.filter(({ source, target }) => target === null || source !== target);
  // A plan lists what is alike together, so that batches have more than one object.
  return wanted.toSorted((a, b) => order(a).localeCompare(order(b)));
}

function requirement(random: Random, ids: readonly number[]) {
  const mask = random.some(ids, 0.7).reduce((bits, id) => bits | (1 << id), 0);
  const confidence = random.pick(["listed", "verified"] as const);
  return { rule: "simulation/ensure", backends: String(mask), copies: 1, confidence };
}

const order = ({ verb, source, target, victim }: WantedAction) =>
  JSON.stringify([verb, source, target, victim]);
