export interface TaskLimits {
  /** Tasks that run at once. */
  readonly running: number;
  /** Tasks that run or wait to be taken behind a slower one. */
  readonly pending: number;
}

/** Runs tasks side by side within limits and hands their results out in the order of adding. */
export class OrderedTasks<Result> {
  readonly #limits: TaskLimits;
  readonly #queue: Task<Result>[] = [];
  #running = 0;
  /** Whether a task ended that nobody has been woken for yet. */
  #news = false;
  #wake: (() => void) | undefined;

  constructor(limits: TaskLimits) {
    this.#limits = limits;
  }

  get pending(): number {
    return this.#queue.length;
  }

  get running(): number {
    return this.#running;
  }

  /** Whether a task may be added now. */
  get hasRoom(): boolean {
    return this.#queue.length < this.#limits.pending && this.#running < this.#limits.running;
  }

  /** Starts a task. It must turn its failures into results. */
  add(run: () => Promise<Result>): void {
    const task: Task<Result> = { done: undefined };
    this.#queue.push(task);
    this.#running += 1;
    void this.#run(task, run);
  }

  /** The finished results at the head of the line. */
  *take(): Generator<Result> {
    for (;;) {
      const done = this.#queue[0]?.done;
      if (!done) return;
      this.#queue.shift();
      yield done.result;
    }
  }

  /** Waits until some task has ended since the last call, but no longer than this. */
  async waitForAny(timeoutMs: number): Promise<void> {
    if (!this.#news && this.#running > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeoutMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#wake = undefined;
    }
    this.#news = false;
  }

  async #run(task: Task<Result>, run: () => Promise<Result>): Promise<void> {
    task.done = { result: await run() };
    this.#running -= 1;
    this.#news = true;
    this.#wake?.();
  }
}

interface Task<Result> {
  done: { readonly result: Result } | undefined;
}
