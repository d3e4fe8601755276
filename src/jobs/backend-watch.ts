import {
  afterFailure,
  afterSuccess,
  type Circuit,
  closedCircuit,
  isProbeDue,
  onTrial,
} from "#jobs/circuit.ts";
import type { BackendHealth, BackendState, OutageReport } from "#model/backend-health.ts";
import type { BackendStatus, CallOptions } from "#model/driver.ts";
import { EngineError, type ErrorCode } from "#model/engine-error.ts";

export interface BackendWatchOptions {
  readonly backends: readonly string[];
  status(backend: string, options: CallOptions): Promise<BackendStatus>;
  readonly now: () => Date;
  /** How often a backend is asked against which nothing is known. */
  readonly probeEveryMs?: number;
  /** Hears of every backend whose state became another. */
  readonly onChange?: (health: BackendHealth) => void;
}

interface Watched {
  /** Whether it answers. */
  access: Circuit;
  /** Whether it takes writes: room, and leave to write. */
  writes: Circuit;
  accessMessage: string;
  writesMessage: string;
  writesCode: ErrorCode;
  /** Room that a write asked for in vain. */
  bytes: number;
  probedAt: number;
  /** A report asks for a probe at once. */
  urgent: boolean;
  probing: Promise<void> | undefined;
}

const tickEveryMs = 500;
const statusTimeoutMs = 10_000;
const defaultProbeEveryMs = 30_000;

/**
 * Knows which backends are out or take no writes: from the reports of workers, and by asking
 * them itself, with backoff while they are out, until they answer again. One per controller.
 */
export class BackendWatch {
  readonly #options: BackendWatchOptions;
  readonly #watched: ReadonlyMap<string, Watched>;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: BackendWatchOptions) {
    this.#options = options;
    const at = this.#at();
    this.#watched = new Map(options.backends.map((backend) => [backend, unknown(at)]));
  }

  start(): void {
    this.#timer ??= setInterval(() => void this.tick(), tickEveryMs);
    void this.tick();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    for (const { probing } of this.#watched.values()) await probing;
  }

  /** A worker met an outage: one more failure, and reason to ask the backend ourselves. */
  report({ backend, code, message, bytes }: OutageReport): void {
    const watched = this.#watched.get(backend);
    // A service that asks to slow down is there; its lane is slowed down elsewhere.
    if (watched === undefined || code === "RATE_LIMITED") return;
    this.#changing(backend, watched, () => {
      if (code === "NO_SPACE" || code === "WRITES_DISABLED") {
        this.#writesFail(watched, code, message, bytes ?? 0);
      } else {
        // What it said to us while it is out says more: a report brings no hint.
        if (watched.access.state === "closed") watched.accessMessage = message;
        watched.access = afterFailure(watched.access, this.#at());
        watched.urgent = watched.access.state === "closed";
      }
    });
    if (this.#timer !== undefined) void this.tick();
  }

  /** Begins the probes that are due and waits for their answers. */
  async tick(): Promise<void> {
    const at = this.#at();
    const due = [...this.#watched].filter(([, watched]) => this.#isDue(watched, at));
    await Promise.all(due.map(([backend, watched]) => this.#probe(backend, watched)));
  }

  /** Backends that do not answer. */
  out(): ReadonlySet<string> {
    const out = [...this.#watched].filter(([, { access }]) => access.state === "open");
    return new Set(out.map(([backend]) => backend));
  }

  /** Every backend, as it is known to be. */
  health(): readonly BackendHealth[] {
    return [...this.#watched].map(([backend, watched]) => healthOf(backend, watched));
  }

  /** One backend; undefined for one that nobody watches. */
  healthOf(backend: string): BackendHealth | undefined {
    const watched = this.#watched.get(backend);
    return watched && healthOf(backend, watched);
  }

  #isDue(watched: Watched, at: number): boolean {
    if (watched.probing !== undefined) return false;
    if (watched.urgent || isProbeDue(watched.access, at)) return true;
    if (isProbeDue(watched.writes, at)) return true;
    if (watched.access.state === "open") return false;
    return at - watched.probedAt >= (this.#options.probeEveryMs ?? defaultProbeEveryMs);
  }

  async #probe(backend: string, watched: Watched): Promise<void> {
    watched.urgent = false;
    watched.probing = this.#ask(backend, watched).finally(() => {
      watched.probing = undefined;
      watched.probedAt = this.#at();
    });
    await watched.probing;
  }

  async #ask(backend: string, watched: Watched): Promise<void> {
    const signal = AbortSignal.timeout(statusTimeoutMs);
    try {
      const status = await this.#options.status(backend, { signal });
      this.#changing(backend, watched, () => {
        watched.access = afterSuccess(watched.access, this.#at());
        this.#judgeWrites(watched, status);
      });
    } catch (thrown) {
      const error = EngineError.from(thrown, "UNAVAILABLE");
      this.#changing(backend, watched, () => {
        watched.access = afterFailure(watched.access, this.#at());
        watched.accessMessage = signal.aborted ? "it gave no answer in time" : withHint(error);
      });
    }
  }

  #judgeWrites(watched: Watched, status: BackendStatus): void {
    const at = this.#at();
    if (!status.writable) {
      // A worker that was refused a write has said more.
      const known = watched.writes.state === "open" && watched.writesCode === "WRITES_DISABLED";
      const message = known ? watched.writesMessage : "it says that it cannot be written to";
      this.#writesFail(watched, "WRITES_DISABLED", message, 0);
      return;
    }
    if (!isProbeDue(watched.writes, at)) return;
    const room = watched.writesCode === "NO_SPACE" ? status.freeBytes : undefined;
    if (room !== undefined) {
      const fits = room > watched.bytes;
      watched.writes = fits ? afterSuccess(watched.writes, at) : afterFailure(watched.writes, at);
    } else if (watched.writes.state === "half-open") {
      watched.writes = afterSuccess(watched.writes, at);
    } else watched.writes = onTrial(watched.writes, at);
  }

  /** One refusal is enough: the worker that reports it has asked the backend itself. */
  #writesFail(watched: Watched, code: ErrorCode, message: string, bytes: number): void {
    const at = this.#at();
    const failed = afterFailure(watched.writes, at);
    watched.writes = failed.state === "closed" ? afterFailure(failed, at) : failed;
    watched.bytes = Math.max(bytes, watched.writesCode === code ? watched.bytes : 0);
    watched.writesCode = code;
    watched.writesMessage = message;
  }

  #changing(backend: string, watched: Watched, change: () => void): void {
    const before = healthOf(backend, watched).state;
    change();
    const health = healthOf(backend, watched);
    if (watched.writes.state === "closed") watched.bytes = 0;
    if (health.state !== before) this.#options.onChange?.(health);
  }

  #at(): number {
    return this.#options.now().getTime();
  }
}

function unknown(at: number): Watched {
  return {
    access: closedCircuit(at),
    writes: closedCircuit(at),
    accessMessage: "",
    writesMessage: "",
    writesCode: "NO_SPACE",
    bytes: 0,
    probedAt: Number.NEGATIVE_INFINITY,
    urgent: false,
    probing: undefined,
  };
}

function healthOf(backend: string, watched: Watched): BackendHealth {
  const { access, writes, accessMessage, writesMessage } = watched;
  const isOut = access.state !== "closed";
  const circuit = isOut ? access : writes;
  const message = isOut ? accessMessage : writesMessage;
  const state = isOut ? "out" : writesState(watched);
  return {
    backend,
    state,
    since: iso(circuit.since),
    message: state === "up" ? undefined : message,
    nextProbe: circuit.nextProbe === undefined ? undefined : iso(circuit.nextProbe),
  };
}

function writesState({ writes, writesCode }: Watched): BackendState {
  if (writes.state === "closed") return "up";
  if (writes.state === "half-open") return "trial";
  return writesCode === "NO_SPACE" ? "full" : "read-only";
}

function iso(time: number): string {
  return new Date(time).toISOString();
}

/** What went wrong, and what to do about it: nobody is shown the error itself while work waits. */
function withHint({ message, hint }: EngineError): string {
  return hint === undefined ? message : `${message}: ${hint}`;
}
