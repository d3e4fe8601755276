import type { AdmissionRule } from "#jobs/admission.ts";
import type { Wait, Work } from "#model/wait.ts";
import type { PolicyTiming } from "#policies/timing/policy-timing.ts";
import { rangeName } from "#policies/timing/time-range.ts";
import { localTimeText } from "#model/local-time-text.ts";
import type { Windows } from "#policies/timing/windows.ts";

/** The timing of each policy; undefined while the policies cannot be read. */
export type ReadTimings = () => Promise<ReadonlyMap<string, PolicyTiming> | undefined>;

/** Work of a policy waits outside its windows. */
export function windowRule(readTimings: ReadTimings): AdmissionRule {
  let timings: ReadonlyMap<string, PolicyTiming> | undefined;
  const states = new WeakMap<Windows, WindowState>();
  return {
    name: "window",
    async refresh() {
      timings = await readTimings();
    },
    judge(work, now) {
      if (timings === undefined) return unreadable;
      const windows = timings.get(work.policy)?.windows;
      if (windows === undefined) return undefined;
      const state = currentState(windows, states.get(windows), now);
      states.set(windows, state);
      return waitOf(work, windows, state);
    },
  };
}

/** What is known of windows until they change: judging is frequent, finding out is slow. */
interface WindowState {
  readonly from: Date;
  readonly until: Date | undefined;
  readonly isOpen: boolean;
  readonly why: string;
}

function currentState(windows: Windows, known: WindowState | undefined, now: Date): WindowState {
  if (known !== undefined && now >= known.from && (known.until === undefined || now < known.until))
    return known;
  const denied = windows.deniedBy(now);
  return {
    from: now,
    until: windows.nextChange(now),
    isOpen: windows.isOpen(now),
    why: denied === undefined ? "no window is open" : `${rangeName(denied)} denies it`,
  };
}

function waitOf(work: Work, windows: Windows, state: WindowState): Wait | undefined {
  if (state.isOpen) return undefined;
  if (work.node !== undefined && windows.onClose === "continue") return undefined;
  const opens =
    state.until === undefined ? "never" : `at ${localTimeText(state.until, windows.zone)}`;
  return {
    reason: "window",
    message: `policy ${work.policy} may not act now: ${state.why}; it opens ${opens}`,
    ...(state.until === undefined ? {} : { until: state.until.toISOString() }),
    ...(windows.onClose === "finish-object" ? { stop: "finish-object" } : {}),
    remedy: "change `windows:` of the policy, if it must go on now",
  };
}

const unreadable: Wait = {
  reason: "window",
  message: "the policies have errors, so that nobody knows their windows",
  remedy: "thermocline validate",
};
