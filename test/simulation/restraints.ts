import { Admission } from "#jobs/admission.ts";
import { capacityRule } from "#jobs/admission/capacity.ts";
import { cordonRule } from "#jobs/admission/cordon.ts";
import { outageRule } from "#jobs/admission/outage.ts";
import { pausedRule } from "#jobs/admission/paused.ts";
import { suspendedRule } from "#jobs/admission/suspended.ts";
import { windowRule } from "#jobs/admission/window.ts";
import type { BackendHealth } from "#model/backend-health.ts";
import type { ControlTarget, Pause } from "#model/control.ts";
import type { Suspension } from "#model/failure.ts";
import type { Batch } from "#model/run.ts";
import { Windows } from "#policies/timing/windows.ts";
import type { Setup } from "./world.ts";
import { simulationStart } from "./virtual-time.ts";

interface Standing<What> {
  readonly what: What;
  /** Since which virtual millisecond. */
  readonly since: number;
}

/** What people (and the share of errors) said must wait, and since when. */
export class Restraints {
  readonly #cordons = new Map<string, Standing<string>>();
  readonly #pauses = new Map<string, Standing<Pause>>();
  readonly #suspensions = new Map<string, Standing<Suspension>>();
  readonly #now: () => number;
  /** When the policy of all runs may not act. */
  readonly #windows: Windows | undefined;

  constructor(now: () => number, denied: Setup["denied"]) {
    this.#now = now;
    this.#windows = denied && windowsOf(denied);
  }

  cordon(backend: string): void {
    this.#cordons.set(backend, { what: backend, since: this.#now() });
  }

  uncordon(backend: string): void {
    this.#cordons.delete(backend);
  }

  pause({ scope, name }: ControlTarget): void {
    const since = new Date().toISOString();
    const what = { scope, name, reason: "by chance", actor: "somebody", since, until: undefined };
    this.#pauses.set(`${scope} ${name}`, { what, since: this.#now() });
  }

  resume({ scope, name }: ControlTarget): void {
    this.#pauses.delete(`${scope} ${name}`);
  }

  suspend(policy: string): void {
    const since = new Date().toISOString();
    const what = { policy, since, failed: 1, outcomes: 1, message: "by chance" };
    this.#suspensions.set(policy, { what, since: this.#now() });
  }

  release(policy: string): void {
    this.#suspensions.delete(policy);
  }

  /** Nobody holds anything back any more. */
  clear(): void {
    this.#cordons.clear();
    this.#pauses.clear();
    this.#suspensions.clear();
  }

  /** The engine's own rules, asking what stands here. */
  admission(healthOf: (backend: string) => BackendHealth | undefined): Admission {
    const store = {
      pauses: async () => whatOf(this.#pauses),
      endExpiredPauses: async () => undefined,
    };
    return new Admission([
      pausedRule(store),
      windowRule(async () => timingOf(this.#windows)),
      suspendedRule(async () => whatOf(this.#suspensions)),
      cordonRule(async () => whatOf(this.#cordons)),
      outageRule(healthOf),
      capacityRule(healthOf),
    ]);
  }

  #isClosed(at: number): boolean {
    return this.#windows?.isOpen(new Date(simulationStart.getTime() + at)) === false;
  }

  /** What stood against handing out this batch since before a moment. */
  against(batch: Batch, before: number): string | undefined {
    const { runId, policy, source, target, victim } = batch;
    const stands = ({ since }: Standing<unknown>) => since < before;
    const cordon = this.#cordons.get(target ?? "");
    if (cordon !== undefined && stands(cordon)) return `${target} is cordoned`;
    const suspension = this.#suspensions.get(policy);
    if (suspension !== undefined && stands(suspension)) return `${policy} is suspended`;
    if (this.#isClosed(before) && this.#isClosed(this.#now())) return "no window is open";
    const names: Readonly<Record<string, readonly (string | null)[]>> = {
      everything: [""],
      run: [runId],
      policy: [policy],
      backend: [source, target, victim],
    };
    const pause = [...this.#pauses.values()].find(
      (one) => stands(one) && names[one.what.scope]?.includes(one.what.name),
    );
    return pause && `${pause.what.scope} ${pause.what.name} is paused`;
  }
}

/** Closed from one minute of the day to another, in UTC; each simulation begins at midnight. */
function windowsOf({ from, to, onClose }: NonNullable<Setup["denied"]>): Windows {
  const days = new Set([1, 2, 3, 4, 5, 6, 7]);
  const deny = [{ kind: "hours", text: "by chance", days, from, to } as const];
  return new Windows({ allow: [], deny, zone: "UTC", onClose });
}

function timingOf(windows: Windows | undefined) {
  return new Map([["simulation", { zone: "UTC", schedule: undefined, triggers: [], windows }]]);
}

function whatOf<What>(all: ReadonlyMap<string, Standing<What>>): readonly What[] {
  return [...all.values()].map(({ what }) => what);
}
