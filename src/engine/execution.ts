import type { EngineContext } from "#engine/context.ts";
import { admissionRules } from "#engine/admission-rules.ts";
import { askPolicies } from "#engine/ask-policies.ts";
import type { Leadership } from "#engine/leadership.ts";
import { laneNames } from "#engine/outside-port.ts";
import { PolicyWatch } from "#engine/policy-watch.ts";
import { type Runtime, startRuntime } from "#engine/runtime.ts";
import { Admission } from "#jobs/admission.ts";
import { heldAsides, joinHeld } from "#jobs/held-asides.ts";
import type { WorkerApi } from "#jobs/worker.ts";
import { actAsEngine } from "#model/acting.ts";
import type { EngineError } from "#model/engine-error.ts";
import type { Role } from "#model/node.ts";
import { type AskPolicies, arePoliciesUnknown, type PolicyWords } from "#model/policy-word.ts";
import { HeatBounds } from "#policies/heat-bounds.ts";
import type { HeldWork, Work } from "#model/wait.ts";

export interface ExecutionOptions {
  readonly roles: readonly Role[];
  readonly leadership: Leadership;
  readonly onError: (error: EngineError) => void;
}

/** The executing half of the engine, which begins to exist when something is to be executed. */
export class Execution {
  readonly roles: readonly Role[];
  readonly admission: Admission;
  readonly #context: EngineContext;
  readonly #options: ExecutionOptions;
  readonly #policies: PolicyWatch;
  readonly #heats = new HeatBounds();
  #runtime: Promise<Runtime> | undefined;

  constructor(context: EngineContext, options: ExecutionOptions) {
    this.roles = options.roles;
    this.#context = context;
    this.#options = options;
    this.#policies = new PolicyWatch(context, options.onError);
    this.admission = new Admission(admissionRules(context, this.#policies));
  }

  /** Whether this process executes runs. */
  get started(): boolean {
    return this.#runtime !== undefined;
  }

  /** Begins to execute runs, those that an earlier process left unfinished first. */
  start(api: WorkerApi): Promise<Runtime> {
    const { config, index, pool, version, outside, watch, limits, now } = this.#context;
    const { roles, leadership, onError } = this.#options;
    watch.start();
    // Whoever asked first, what is executed from now on is done by the engine.
    this.#runtime ??= actAsEngine(() =>
      startRuntime(
        {
          config,
          index,
          pool,
          version,
          outside,
          roles,
          admission: this.admission,
          limits,
          leadership,
          unreachable: () => watch.out(),
          askPolicies: (...asked) => this.#askPolicies(...asked),
          now,
          onError,
        },
        api,
      ),
    );
    return this.#runtime;
  }

  /** The running half, if there is one. */
  async runtime(): Promise<Runtime | undefined> {
    return this.#runtime;
  }

  /** Has the dispatcher look at once. */
  wake(): void {
    void this.#runtime?.then((runtime) => runtime.wake());
  }

  /** Work that waits: what was not handed out, and jobs that stepped aside. */
  async held(): Promise<readonly HeldWork[]> {
    const runtime = await this.#runtime;
    if (runtime === undefined) return [];
    const { config, pool, now } = this.#context;
    // A queue that is away takes nothing else from the picture.
    const asides = await runtime.queue.asides(laneNames(config, pool.names)).catch(() => []);
    await this.admission.refresh(now());
    const judge = (work: Work) => this.admission.judge(work, now());
    return joinHeld([...runtime.held(), ...heldAsides(asides, judge, now())]);
  }

  async #askPolicies(...asked: Parameters<AskPolicies>): Promise<PolicyWords> {
    try {
      const [objectIds, variables] = asked;
      return await askPolicies(this.#context, objectIds, variables, this.#heats);
    } catch (error) {
      if (arePoliciesUnknown(error)) this.#policies.holds();
      throw error;
    }
  }

  async close(): Promise<void> {
    const runtime = await this.#runtime?.catch(() => undefined);
    await runtime?.close();
    await this.#context.watch.close();
  }
}
