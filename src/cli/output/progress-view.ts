import { formatDuration, formatSize } from "#model/quantity.ts";
import type { Clock, Sink } from "#cli/command-io.ts";
import { count, rate } from "#cli/output/words.ts";

export const progressModes = ["auto", "bar", "plain", "json", "none"] as const;
export type ProgressMode = (typeof progressModes)[number];

/** How far something is. Totals are undefined while nobody knows them. */
export interface Progress {
  readonly what: string;
  /** `objects`, `files`, `copies`. */
  readonly noun: string;
  readonly done: number;
  readonly total: number | undefined;
  readonly bytesDone: number;
  readonly bytesTotal: number | undefined;
  /** Added at the end for people: `3 failed`. */
  readonly remark?: string;
  /** Added to JSON lines. */
  readonly fields?: Readonly<Record<string, unknown>>;
}

const plainIntervalMs = 2_000;
/** A line that says what the one before it said comes this often: a sign of life. */
const sameLineIntervalMs = 60_000;
const barIntervalMs = 100;
/** Below this many bytes each, the number of things done tells more than their bytes. */
const smallBytes = 64 * 1024;
/** Rates are taken over the last seconds, so that they follow what happens. */
const rateWindowMs = 10_000;

interface Sample {
  readonly at: number;
  readonly done: number;
  readonly bytes: number;
}

/** Shows progress on standard error: a bar on a terminal, lines elsewhere, JSON on request. */
export class ProgressView {
  readonly #sink: Sink;
  readonly #clock: Clock;
  readonly #mode: ProgressMode;
  #samples: Sample[] = [];
  #shownAt = Number.NEGATIVE_INFINITY;
  #last: Progress | undefined;
  #barIsOpen = false;
  #plainLine: { readonly text: string; readonly at: number } | undefined;

  constructor(mode: ProgressMode, sink: Sink, clock: Clock) {
    this.#mode = mode === "auto" ? (sink.isTTY ? "bar" : "plain") : mode;
    this.#sink = sink;
    this.#clock = clock;
  }

  update(progress: Progress): void {
    const at = this.#clock.monotonicMs();
    this.#last = progress;
    this.#samples.push({ at, done: progress.done, bytes: progress.bytesDone });
    const oldest = this.#samples.findIndex((sample) => at - sample.at <= rateWindowMs);
    this.#samples.splice(0, Math.max(0, Math.min(oldest, this.#samples.length - 2)));
    const interval = this.#mode === "bar" ? barIntervalMs : plainIntervalMs;
    if (this.#mode === "none" || at - this.#shownAt < interval) return;
    this.#shownAt = at;
    this.#show(progress, "status");
  }

  /** Shows the last state for good. */
  end(): void {
    if (this.#last !== undefined && this.#mode !== "none") this.#show(this.#last, "summary");
    if (this.#barIsOpen) this.#sink.write("\n");
    this.#barIsOpen = false;
    this.#last = undefined;
    this.#samples = [];
  }

  /** A line beside the progress: a problem, a change of state. */
  line(text: string): void {
    if (this.#barIsOpen) this.#sink.write("\r\u001B[K");
    this.#barIsOpen = false;
    const line = { schemaVersion: 1, type: "diagnostic", message: text };
    this.#sink.write(`${this.#mode === "json" ? JSON.stringify(line) : text}\n`);
    this.#shownAt = Number.NEGATIVE_INFINITY;
  }

  #show(progress: Progress, type: "status" | "summary"): void {
    const speed = speedOf(this.#samples, progress);
    if (this.#mode === "json") {
      const { what, noun, remark: _remark, fields, ...numbers } = progress;
      const line = { schemaVersion: 1, type, what, noun, ...numbers, ...speed, ...fields };
      this.#sink.write(`${JSON.stringify(line)}\n`);
      return;
    }
    const text = describe(progress, type === "summary" ? noSpeed : speed);
    if (this.#mode === "plain") {
      this.#showLine(text, type);
      return;
    }
    const bar = barOf(progress);
    this.#sink.write(`\r\u001B[K${`${bar}${text}`.slice(0, Math.max(20, this.#sink.columns - 1))}`);
    this.#barIsOpen = true;
  }

  #showLine(text: string, type: "status" | "summary"): void {
    const at = this.#clock.monotonicMs();
    const before = this.#plainLine;
    const isNews = text !== before?.text || at - before.at >= sameLineIntervalMs;
    if (type === "status" && !isNews) return;
    this.#plainLine = { text, at };
    this.#sink.write(`${text}\n`);
  }
}

interface Speed {
  readonly perSecond: number | undefined;
  readonly bytesPerSecond: number | undefined;
  /** Known only once something has moved. */
  readonly etaMs: number | undefined;
}

const noSpeed: Speed = { perSecond: undefined, bytesPerSecond: undefined, etaMs: undefined };

function speedOf(samples: readonly Sample[], progress: Progress): Speed {
  const [first] = samples;
  const last = samples.at(-1);
  const ms = (last?.at ?? 0) - (first?.at ?? 0);
  if (first === undefined || last === undefined || ms < 500) return noSpeed;
  const perSecond = ((last.done - first.done) * 1_000) / ms;
  const bytesPerSecond = ((last.bytes - first.bytes) * 1_000) / ms;
  if (perSecond <= 0 && bytesPerSecond <= 0) return noSpeed;
  const { done, total, bytesDone, bytesTotal } = progress;
  // The slower of the two decides: many small objects, or few large ones, may remain.
  const remaining = [
    total === undefined || perSecond <= 0 ? 0 : (total - done) / perSecond,
    bytesTotal === undefined || bytesPerSecond <= 0 ? 0 : (bytesTotal - bytesDone) / bytesPerSecond,
  ];
  const etaMs = total === undefined ? undefined : Math.round(Math.max(...remaining) * 1_000);
  return { perSecond, bytesPerSecond, etaMs };
}

function describe(progress: Progress, speed: Speed): string {
  const { what, noun, done, total, bytesDone, bytesTotal, remark } = progress;
  const parts = [
    `${count(done)}${total === undefined ? "" : ` of ${count(total)}`} ${noun}`,
    bytesTotal === undefined || bytesTotal === 0
      ? formatSize(bytesDone)
      : `${formatSize(bytesDone)} of ${formatSize(bytesTotal)}`,
  ];
  const pace = paceOf(noun, speed);
  if (pace !== undefined) parts.push(pace);
  if (speed.etaMs !== undefined && speed.etaMs > 0) {
    parts.push(`${formatDuration(Math.max(1_000, speed.etaMs))} left`);
  }
  if (remark !== undefined && remark !== "") parts.push(remark);
  return `${what}: ${parts.join(", ")}`;
}

/** Bytes, or where they are few for the number of things, that number. */
function paceOf(noun: string, { perSecond = 0, bytesPerSecond = 0 }: Speed): string | undefined {
  if (perSecond >= 1 && bytesPerSecond < perSecond * smallBytes) {
    return `${count(Math.round(perSecond))} ${noun}/s`;
  }
  return bytesPerSecond > 0 ? rate(bytesPerSecond) : undefined;
}

function barOf({ done, total }: Progress): string {
  if (total === undefined || total === 0) return "";
  const cells = 24;
  const filled = Math.min(cells, Math.floor((done / total) * cells));
  const percent = String(Math.floor((done / total) * 100)).padStart(3);
  return `${"█".repeat(filled)}${"░".repeat(cells - filled)} ${percent}%  `;
}
