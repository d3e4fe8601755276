import type { AdmissionRule } from "#jobs/admission.ts";
import { bandwidthAt } from "#model/bandwidth-clock.ts";
import { formatBandwidth } from "#model/bandwidth.ts";
import { formatRequestRate } from "#model/request-rate.ts";
import type { Batch } from "#model/run.ts";
import type { Wait } from "#model/wait.ts";
import type { ReadTimings } from "#jobs/admission/window.ts";
import type { PolicyTiming } from "#policies/timing/policy-timing.ts";

/**
 * Work of a policy begins no faster than its limits say, over all its runs and backends. A batch
 * is let through when nothing is owed, and what it is beyond that is owed by the next one: never
 * more begins than rate × time and one batch. Nothing is saved up while there is no work.
 */
export function paceRule(readTimings: ReadTimings): AdmissionRule {
  let timings: ReadonlyMap<string, PolicyTiming> | undefined;
  const debts = new Map<string, Debt>();
  const debtsOf = (policy: string, now: Date): readonly Debt[] =>
    boundsOf(policy, timings?.get(policy), now).map((bound) => {
      const key = `${bound.reason} ${policy}`;
      const debt = debts.get(key) ?? new Debt();
      debts.set(key, debt);
      debt.bound = bound;
      debt.payUntil(now);
      return debt;
    });
  return {
    name: "pace",
    async refresh() {
      timings = (await readTimings()) ?? timings;
    },
    judge({ policy, node }, now) {
      if (node !== undefined) return undefined;
      return debtsOf(policy, now)
        .find((debt) => debt.owed > 0)
        ?.wait(now);
    },
    admit(batch, now) {
      const own = debtsOf(batch.policy, now);
      if (own.some((debt) => debt.owed > 0)) return false;
      for (const debt of own) debt.owe(batch);
      return true;
    },
  };
}

/** So much per second, of what, and how people say it. */
interface PaceBound {
  readonly reason: "rate" | "bandwidth";
  readonly perSecond: number;
  readonly words: string;
}

function boundsOf(
  policy: string,
  timing: PolicyTiming | undefined,
  now: Date,
): readonly PaceBound[] {
  const { actionsPerSecond, bandwidth } = timing?.pace ?? {};
  const bounds: PaceBound[] = [];
  if (actionsPerSecond !== undefined) {
    const words = `policy ${policy} begins at most ${formatRequestRate(actionsPerSecond)} actions`;
    bounds.push({ reason: "rate", perSecond: actionsPerSecond, words });
  }
  if (bandwidth !== undefined) {
    const { upload, download } = bandwidthAt(bandwidth, now, timing?.zone).slot.bandwidth;
    const perSecond = Math.min(upload ?? Infinity, download ?? Infinity);
    const words = `policy ${policy} moves at most ${formatBandwidth({ upload, download })} per second`;
    if (perSecond < Infinity) bounds.push({ reason: "bandwidth", perSecond, words });
  }
  return bounds;
}

/** What was begun beyond what the time allowed; time pays it off. */
class Debt {
  bound: PaceBound = { reason: "rate", perSecond: Infinity, words: "" };
  owed = 0;
  #paidAt: Date | undefined;

  payUntil(now: Date): void {
    const ms = this.#paidAt === undefined ? 0 : Math.max(0, now.getTime() - this.#paidAt.getTime());
    this.owed = Math.max(0, this.owed - (this.bound.perSecond * ms) / 1_000);
    this.#paidAt = now;
  }

  owe({ actions, bytes }: Pick<Batch, "actions" | "bytes">): void {
    this.owed += this.bound.reason === "rate" ? actions : bytes;
  }

  wait(now: Date): Wait {
    const { reason, perSecond, words } = this.bound;
    const until = new Date(now.getTime() + Math.ceil((this.owed / perSecond) * 1_000));
    const remedy = "change `limits:` of the policy, if it may go faster";
    return { reason, message: words, until: until.toISOString(), remedy };
  }
}
