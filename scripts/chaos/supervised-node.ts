import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync, readSync, statSync } from "node:fs";
import { stopNode } from "../thermocline-process.ts";

const restartAfterMs = 500;
/** A node that cannot reach its queue store when it starts says so and ends with this code. */
const unavailableExitCode = 69;
/** A controller that another one has taken over from ends with this code. */
const takenOverExitCode = 11;
/** What a node prints once it has everything it needs. */
const upLine = " runs as ";
/** It comes early; the rest of a long log is not looked at. */
const logReadBytes = 1024 * 1024;

/** A node as a service supervisor keeps it: started again when it ends by itself. */
export class SupervisedNode {
  readonly name: string;
  /** What it prints. */
  readonly log: string;
  /** Hears of every end that was not our doing. */
  readonly #onDeath: (how: string) => void;
  readonly #spawn: () => ChildProcess;
  #child: ChildProcess | undefined;
  #dismissed = false;
  /** Starts that ended because the queue store was away: the supervisor tries again. */
  refusedStarts = 0;
  /** Ends because another controller had taken over. */
  takenOver = 0;

  constructor(
    name: string,
    log: string,
    spawn: () => ChildProcess,
    onDeath: (how: string) => void,
  ) {
    this.name = name;
    this.log = log;
    this.#spawn = spawn;
    this.#onDeath = onDeath;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get isUp(): boolean {
    return this.#child !== undefined;
  }

  start(): void {
    if (this.#child !== undefined) return;
    const child = this.#spawn();
    this.#child = child;
    const from = this.#logBytes();
    child.once("exit", (code, signal) => {
      if (this.#child !== child) return;
      this.#child = undefined;
      const wasUp = this.#logged(from).includes(upLine);
      if (!wasUp && code === unavailableExitCode) this.refusedStarts += 1;
      else if (code === takenOverExitCode) this.takenOver += 1;
      else this.#onDeath(`${this.name} ended by itself: ${signal ?? `exit code ${code}`}`);
      setTimeout(() => {
        if (!this.#dismissed) this.start();
      }, restartAfterMs);
    });
  }

  /** kill -9, and waits for the end. */
  async kill(): Promise<void> {
    const child = this.#let();
    if (child === undefined) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  }

  freeze(): void {
    this.#child?.kill("SIGSTOP");
  }

  thaw(): void {
    this.#child?.kill("SIGCONT");
  }

  /** Ends it for good, gently if it will; says whether it did. */
  async dismiss(patienceMs: number): Promise<boolean> {
    this.#dismissed = true;
    this.thaw();
    const child = this.#let();
    return child === undefined || (await stopNode(child, patienceMs));
  }

  /** When this process ends by surprise: nobody is left to wait. */
  abandon(): void {
    this.#dismissed = true;
    this.#let()?.kill("SIGKILL");
  }

  #logBytes(): number {
    return existsSync(this.log) ? statSync(this.log).size : 0;
  }

  /** What it has printed from that place on; the log of an hour is not read as a whole. */
  #logged(from: number): string {
    if (this.#logBytes() <= from) return "";
    const bytes = Buffer.alloc(Math.min(logReadBytes, this.#logBytes() - from));
    const file = openSync(this.log, "r");
    try {
      return bytes.toString("utf8", 0, readSync(file, bytes, 0, bytes.length, from));
    } finally {
      closeSync(file);
    }
  }

  /** From here on its end is our doing. */
  #let(): ChildProcess | undefined {
    const child = this.#child;
    this.#child = undefined;
    return child;
  }
}
