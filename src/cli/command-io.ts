/** What a command may touch of the process it runs in; tests pass their own. */
export interface CommandIo {
  readonly stdout: Sink;
  readonly stderr: Sink;
  readonly stdin: AsyncIterable<Uint8Array | string> & { readonly isTTY?: boolean };
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly hostname: string;
  /** Who runs this process, as the operating system says. */
  readonly user: string;
  readonly clock: Clock;
  /** Aborted by SIGINT and SIGTERM, and when nobody reads standard output any more. */
  readonly signal: AbortSignal;
}

export interface Sink {
  readonly isTTY: boolean;
  readonly columns: number;
  write(data: string | Uint8Array): void;
  /** Resolves when what was written is out of memory: long outputs wait for it. */
  drain(): Promise<void>;
}

export interface Clock {
  now(): Date;
  /** Milliseconds that only go forward. */
  monotonicMs(): number;
  /** Ends early, without an error, when the signal is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}
