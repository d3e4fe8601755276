import type { ClusterParts } from "./cluster.ts";
import type { FaultKind } from "./faults.ts";
import type { Operators } from "./operators.ts";
import type { Random } from "./random.ts";
import { contents, numberOf } from "./samples.ts";

/** Lets something happen at moments that the seed gives. */
export interface Moments {
  readonly sometimes: (
    kind: FaultKind,
    most: number,
    act: () => Promise<void>,
    random: Random,
  ) => void;
  readonly later: (ms: number, act: () => Promise<void>) => void;
}

/** Orders and commands that hold work back, look at copies, or want what was given up. */
export function planOrders(
  parts: ClusterParts,
  operators: Operators,
  random: Random,
  { sometimes, later }: Moments,
): void {
  const { setup, restraints, index, promises, scheduler } = parts;
  const note = (text: string) => {
    scheduler.note(() => text);
  };
  const { backends, calmAtMs } = setup;
  const soon = () => random.between(0, calmAtMs / 2);
  const during = (kind: FaultKind, begin: () => () => void) => {
    sometimes(
      kind,
      3,
      async () => {
        const end = begin();
        later(soon(), async () => {
          end();
        });
      },
      random,
    );
  };
  during("cordon", () => {
    const backend = random.pick(backends);
    restraints.cordon(backend);
    note(`${backend} is cordoned`);
    return () => {
      restraints.uncordon(backend);
    };
  });
  during("standing-pause", () => {
    const scope = random.pick(["backend", "policy", "everything"] as const);
    const names = { backend: random.pick(backends), policy: "simulation", everything: "" };
    const target = { scope, name: names[scope] };
    restraints.pause(target);
    note(`${scope} ${target.name} is paused`);
    return () => {
      restraints.resume(target);
    };
  });
  during("suspend", () => {
    restraints.suspend("simulation");
    return () => {
      restraints.release("simulation");
    };
  });
  // Drawn only where it is asked for: it came after many seeds were found.
  if (parts.faults.enabled.has("policy-promise")) {
    during("policy-promise", () => wantsCopies(parts, random));
  }
  const often = (kind: FaultKind, act: () => Promise<void>) => {
    sometimes(kind, 4, act, random);
  };
  often("verify", async () => {
    if (random.chance(0.5)) operators.verify(random.some(backends, 0.7), 0);
    else overtaken(parts, operators, random, later);
  });
  often("hand-in", async () => {
    operators.handIn(random.below(setup.objects), random.pick(backends));
  });
  often("reads", async () => {
    const object = random.below(setup.objects);
    await index.read(object, new Date());
    promises.wanted(object);
    note(`object ${object} is read`);
  });
}

/** A policy that begins to want copies of an object: the object stays, and so many copies of it. */
function wantsCopies({ setup, promises, scheduler }: ClusterParts, random: Random): () => void {
  const object = random.below(setup.objects);
  const on = random.some(
    setup.backends.map((_, id) => id),
    0.8,
  );
  const rule = "simulation/later";
  const copies = 1 + random.below(2);
  const mask = String(on.reduce((bits, id) => bits | (1 << id), 0));
  promises.byPolicy.set(object, {
    kept: { reason: "ensure", message: `${rule} wants copies of it` },
    promises: [{ rule, place: "later:1:1", backends: mask, copies, confidence: "verified" }],
  });
  scheduler.note(() => `a policy wants ${copies} copies of object ${object} among ${on.join()}`);
  return () => {
    promises.byPolicy.delete(object);
  };
}

/** A check whose finding is told late: the copy rots, and another check is told before it. */
function overtaken(
  { setup, backends, faults, scheduler }: ClusterParts,
  operators: Operators,
  random: Random,
  later: Moments["later"],
): void {
  const backend = backends.get(random.pick(setup.backends));
  const cid = contents[random.below(setup.objects)]?.object.cid;
  const moments = [random.between(5_000, 15_000), random.between(15_000, 20_000)] as const;
  operators.verify(setup.backends, random.between(0.5, 1));
  if (!faults.enabled.has("bit-rot") || backend === undefined || cid === undefined) return;
  later(moments[0], async () => {
    if (faults.over) return;
    backend.harm(cid, "rot");
    scheduler.note(() => `object ${numberOf(cid)} rots on ${backend.name} after a check`);
  });
  later(moments[1], async () => {
    operators.verify([backend.name], 0);
  });
}
