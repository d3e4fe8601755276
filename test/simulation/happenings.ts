import type { Cluster, ClusterParts } from "./cluster.ts";
import { contents, numberOf } from "./samples.ts";
import type { FaultKind } from "./faults.ts";
import { deletions } from "./deletions.ts";
import type { WantedAction } from "./simulated-index.ts";
import { drawActions } from "./world.ts";
import { Operators } from "./operators.ts";
import { planOrders } from "./orders.ts";
import type { Random } from "./random.ts";
import type { SimulatedNode } from "./simulated-node.ts";

/** What people and fate do while the engine works: each at moments that the seed gives. */
export class Happenings {
  readonly #parts: ClusterParts;
  readonly #cluster: Cluster;
  readonly #operators: Operators;
  readonly #runs: string[] = [];

  constructor(parts: ClusterParts, cluster: Cluster) {
    this.#parts = parts;
    this.#cluster = cluster;
    this.#operators = new Operators(parts);
  }

  /** Every run there is and will be has been begun. */
  runsToCome = 0;

  /** Draws when everything happens. */
  plan(): void {
    const { random, setup, theme } = this.#parts;
    this.runsToCome = setup.runs ?? 1 + random.below(3);
    const within = setup.runsWithinMs ?? setup.calmAtMs;
    for (let runs = this.runsToCome; runs > 0; runs -= 1) {
      const at = runs === this.runsToCome ? 0 : random.between(0, within);
      const drawn = (theme.actions ?? drawActions)(random, setup);
      this.#at(at, () => this.#begin(drawn));
    }
    this.#nodes();
    this.#stores();
    this.#people();
    if (this.#parts.more !== undefined) {
      planOrders(this.#parts, this.#operators, this.#parts.more, {
        sometimes: (kind, most, act, random) => {
          this.#sometimes(kind, most, act, random);
        },
        later: (ms, act) => {
          this.#later(ms, act);
        },
      });
    }
    this.#cluster.onMoment = (what, node) => {
      this.#strike(what, node);
    };
  }

  /** Lets something happen at a moment at which it is dangerous. */
  #strike(what: string, node: SimulatedNode): void {
    const { random, faults, theme, queue } = this.#parts;
    if (faults.over || theme.strikes === undefined || !random.chance(theme.strikes)) return;
    const acts: Partial<Record<FaultKind, () => void>> = {
      "crash-worker": () => {
        if (node.name !== "controller") this.#dies(node.name);
      },
      "crash-controller": () => {
        this.#dies("controller");
      },
      freeze: () => {
        this.#cluster.freeze(node.name, random.between(10_000, 90_000));
      },
      "lost-lock": () => {
        for (const job of queue.jobs.all()) job.lock = undefined;
      },
      "queue-lost": () => {
        queue.jobs.clear();
      },
      cancel: () => {
        for (const run of this.#runs) {
          this.#later(
            random.between(0, 5_000),
            async () => void (await this.#set(run, "cancelled")),
          );
        }
      },
      pause: () => {
        for (const run of this.#runs) this.#later(0, () => this.#pause(run));
      },
      "clock-step": () => {
        this.#stepsClock();
      },
    };
    const known = Object.keys(acts) as FaultKind[];
    const fitting = known.filter((kind) => what !== "permitted" || kind === "pause");
    const kinds = fitting.filter((kind) => faults.enabled.has(kind));
    for (const kind of random.some(kinds, 0.5)) {
      faults.count(kind);
      this.#note(`${kind}, since a copy is ${what}`);
      acts[kind]?.();
    }
  }

  #dies(name: string): void {
    this.#cluster.crash(name);
    const backMs = this.#parts.random.between(0, 20_000);
    this.#later(backMs, () => this.#cluster.startNode(name));
  }

  async #pause(run: string): Promise<void> {
    const { random, setup } = this.#parts;
    if (!(await this.#set(run, "paused"))) return;
    const backMs = random.between(0, setup.calmAtMs / 2);
    this.#later(backMs, async () => void (await this.#set(run, "running")));
  }

  #nodes(): void {
    const { random } = this.#parts;
    const names = this.#cluster.nodes.map(({ name }) => name);
    const workers = names.filter((name) => name !== "controller");
    this.#sometimes("crash-worker", 4, async () => {
      this.#dies(random.pick(workers));
    });
    this.#sometimes("crash-controller", 4, async () => {
      this.#dies("controller");
    });
    this.#sometimes("freeze", 4, async () => {
      this.#cluster.freeze(random.pick(names), random.next() ** 2 * 90_000);
    });
    this.#sometimes("clock-jump", 3, async () => {
      const node = random.pick(this.#cluster.nodes);
      node.skewMs = random.between(-40_000, 40_000);
      this.#note(`the clock of ${node.toString()} jumps, now ${Math.round(node.skewMs)} ms off`);
    });
    this.#clockSteps();
  }

  /** The clock of the controller's machine is set, whether a controller runs there or not. */
  #clockSteps(): void {
    const { random, faults } = this.#parts;
    if (!faults.enabled.has("clock-step")) return;
    this.#sometimes("clock-step", 2, async () => {
      this.#stepsClock();
      // A worker that stands still hears the new time late.
      if (!faults.enabled.has("freeze") || random.chance(0.5)) return;
      for (const { name } of this.#cluster.nodes) {
        if (name !== "controller") this.#cluster.freeze(name, random.between(0, 60_000));
      }
    });
  }

  #stepsClock(): void {
    const { random, faults, setup, theme } = this.#parts;
    if (faults.over) return;
    this.#cluster.stepClock(random.pick([-20, -8, -3, 3, 8, 20]) * 60_000);
    // What was settled too early would be given to this run.
    this.runsToCome += 1;
    const drawn = (theme.actions ?? drawActions)(random, setup);
    this.#later(random.between(2_000, 20_000), () => this.#begin(drawn));
    if (!faults.enabled.has("crash-controller") || random.chance(0.5)) return;
    // What is known of the step may be lost with the process that noticed it.
    this.#later(random.between(0, 30_000), async () => {
      this.#dies("controller");
    });
  }

  #stores(): void {
    const { random, queue, backends, scheduler } = this.#parts;
    const anywhere = () => random.pick([...backends.values()]);
    this.#sometimes("outage", 3, async () => {
      const backend = anywhere();
      backend.outUntil = scheduler.now + random.next() * 60_000;
      this.#note(`${backend.name} is out`);
    });
    this.#sometimes("bit-rot", 3, async () => {
      const backend = anywhere();
      const { object } = random.pick(contents);
      if (backend.get(object.cid) === undefined) return;
      backend.harm(object.cid, "rot");
      this.#note(`object ${numberOf(object.cid)} rots on ${backend.name}`);
    });
    this.#sometimes("queue-lost", 2, async () => {
      queue.jobs.clear();
      this.#note("the queue store loses everything");
    });
    this.#sometimes("lost-lock", 6, async () => {
      const active = queue.jobs.all().filter((job) => job.state === "active");
      if (active.length > 0) random.pick(active).lock = undefined;
    });
  }

  #people(): void {
    const { random, index, setup, promises, policyHolds } = this.#parts;
    const anyObject = () => random.below(setup.objects);
    const soon = () => random.between(0, setup.calmAtMs / 2);
    this.#sometimes("hold", 3, async () => {
      const object = anyObject();
      await index.hold([object], "by chance", new Date());
      promises.held.add(object);
      promises.wanted(object);
      this.#note(`object ${object} is held`);
      this.#later(soon(), async () => {
        await index.release([object], new Date());
        // Somebody else may have released it before.
        if (promises.held.delete(object)) promises.wanted(object);
        this.#note(`object ${object} is released`);
      });
    });
    this.#sometimes("policy-hold", 3, async () => {
      const object = anyObject();
      policyHolds.add(object);
      promises.heldByPolicy.add(object);
      this.#later(soon(), async () => {
        policyHolds.delete(object);
        promises.heldByPolicy.delete(object);
      });
    });
    this.#sometimes("pause", 3, async () => {
      const run = this.#runs.length > 0 ? random.pick(this.#runs) : undefined;
      if (run !== undefined) await this.#pause(run);
    });
    this.#sometimes("cancel", 1, async () => {
      if (this.#runs.length > 0) await this.#set(random.pick(this.#runs), "cancelled");
    });
    this.#sometimes("import-again", 3, async () => {
      this.#operators.importAgain(random.pick(setup.backends));
    });
  }

  /** Begins a run of what was drawn, or of what a rule or the planner wants by now. */
  async #begin(drawn: readonly WantedAction[]): Promise<void> {
    const { index, setup, scheduler, random } = this.#parts;
    if (setup.planned === true && index.plan !== undefined) {
      const plan = await index.plan(setup.minimumCopies, new Date());
      // Things change between the plan and its begin.
      const { actions } = plan.header.totals;
      scheduler.after(random.between(0, 5_000), async () => {
        this.runsToCome -= 1;
        const run = actions === 0 ? undefined : await index.beginPlan?.(plan, new Date());
        if (run !== undefined) this.#runs.push(run.id);
        this.#note(`run ${run?.id} of ${actions} planned actions begins`);
      });
      return;
    }
    this.runsToCome -= 1;
    const actions = setup.graceMs === undefined ? drawn : await this.#planned(setup.graceMs);
    if (actions.length === 0) return;
    const run = await index.begin(actions, new Date());
    this.#runs.push(run.id);
    this.#note(`run ${run.id} begins: ${actions.map((action) => words(action)).join("; ")}`);
  }

  /** What a delete rule wants now, by what the index knows. */
  async #planned(graceMs: number): Promise<readonly WantedAction[]> {
    return deletions(await this.#parts.index.marked(), graceMs, Date.now());
  }

  async #set(run: string, state: "running" | "paused" | "cancelled"): Promise<boolean> {
    try {
      await this.#parts.index.setRunState(run, state, new Date());
      this.#note(`run ${run} is ${state} by somebody`);
      return true;
    } catch {
      return false;
    }
  }

  #sometimes(
    kind: Parameters<ClusterParts["faults"]["count"]>[0],
    most: number,
    act: () => Promise<void>,
    random: Random = this.#parts.random,
  ): void {
    const { faults, setup } = this.#parts;
    const times = setup.often * (1 + random.below(most));
    for (let turn = 0; turn < times; turn += 1) {
      const at = random.between(0, setup.calmAtMs);
      if (!faults.enabled.has(kind)) continue;
      this.#at(at, async () => {
        faults.count(kind);
        await act();
      });
    }
  }

  #at(ms: number, act: () => Promise<void>): void {
    this.#parts.scheduler.after(ms, act, null);
  }

  #later(ms: number, act: () => Promise<void>): void {
    this.#parts.scheduler.after(ms, act, null);
  }

  #note(text: string): void {
    this.#parts.scheduler.note(() => text);
  }
}

function words(action: ReturnType<typeof drawActions>[number]): string {
  const { verb, object, source, target, victim } = action;
  const copy = target === null ? "" : ` ${source}>${target}`;
  return `${verb} ${object}${copy}${victim === null ? "" : ` -${victim}`}`;
}
