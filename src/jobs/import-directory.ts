import { realpath } from "node:fs/promises";
import { basename, join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { defaultProfile } from "#content/profile.ts";
import type { Place } from "#jobs/deliver.ts";
import { FileCount } from "#jobs/file-count.ts";
import { Gate } from "#jobs/gate.ts";
import { importFile, type ImportedFile } from "#jobs/import-file.ts";
import { ImportGroups } from "#jobs/import-groups.ts";
import { localFileError } from "#jobs/local-file-error.ts";
import { IndexFeed } from "#jobs/index-feed.ts";
import { OrderedTasks } from "#jobs/ordered-tasks.ts";
import { transferFault } from "#jobs/transfer-fault.ts";
import { walkTree } from "#jobs/walk-tree.ts";
import type { ImportProgress, ImportRequest } from "#model/engine-api.ts";
import { EngineError } from "#model/engine-error.ts";
import type { IndexStore } from "#model/index-store.ts";

export interface ImportOptions {
  readonly profile?: string;
  readonly signal?: AbortSignal;
  readonly now?: () => Date;
}

const progressEveryMs = 200;
/** Files at once beside those in groups, at most a MiB of each in memory. */
const aloneAtOnce = 16;
/** Results waiting behind a large file. */
const pendingMax = 2_000;
const largeFilesAtOnce = 2;
/** Nobody else in this process waits longer than about this for the thread. */
const turnMs = 10;

/**
 * Imports a folder: every regular file below it becomes an object with its path as a name, its
 * bytes stored at the target and checked there, in the order of the walk. What cannot be read is
 * a problem that is told and does not stop the rest; a target that fails does stop it, after
 * what was stored and checked until then is in the index. Doing it again writes nothing that is
 * there, and finds what was stored and not recorded.
 */
export async function* importDirectory(
  request: ImportRequest,
  target: Place,
  index: Pick<IndexStore, "putObjects">,
  options: ImportOptions = {},
): AsyncGenerator<ImportProgress> {
  const root = await realpath(request.path).catch((thrown: unknown) => {
    throw localFileError(thrown, request.path);
  });
  const directoryImport = new DirectoryImport(root, request, target, index, options);
  yield* directoryImport.run();
}

type Outcome =
  | { readonly path: string; readonly file: ImportedFile }
  | { readonly path: string; readonly error: EngineError };

class DirectoryImport {
  readonly #root: string;
  readonly #request: ImportRequest;
  readonly #target: Place;
  readonly #options: ImportOptions;
  readonly #tasks = new OrderedTasks<Outcome>({ running: pendingMax, pending: pendingMax });
  readonly #largeFiles = new Gate(largeFilesAtOnce);
  readonly #alone = new Gate(aloneAtOnce);
  readonly #groups: ImportGroups;
  readonly #feed: IndexFeed;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  readonly #startedAt: number;
  #reportedAt: number;
  #othersRanAt = performance.now();
  readonly #fileCount: FileCount;
  #files = 0;
  #bytes = 0;
  /** What the index would have said, were this not a dry run. */
  readonly #dryRun = { added: 0, known: 0 };
  #problems = 0;
  #links = 0;

  constructor(
    root: string,
    request: ImportRequest,
    target: Place,
    index: Pick<IndexStore, "putObjects">,
    options: ImportOptions,
  ) {
    this.#root = root;
    this.#request = request;
    this.#target = target;
    this.#options = options;
    const { signal } = this.#stop;
    this.#signal = options.signal ? AbortSignal.any([signal, options.signal]) : signal;
    this.#groups = new ImportGroups(target.driver, this.#signal, () => this.#now());
    this.#feed = new IndexFeed(request, basename(root), target.backend, index);
    this.#fileCount = new FileCount(root, this.#signal);
    this.#startedAt = this.#now();
    this.#reportedAt = this.#startedAt;
  }

  async *run(): AsyncGenerator<ImportProgress> {
    let mayFit = false;
    try {
      yield* this.#walk();
      while (this.#tasks.pending > 0) {
        this.#groups.flush();
        await this.#tasks.waitForAny(progressEveryMs);
        yield* this.#settle();
      }
    } catch (error) {
      // Of what has begun, some may still fit.
      mayFit = EngineError.from(error).code === "NO_SPACE";
      throw error;
    } finally {
      // On the way out by an error, too: what is stored must be known.
      if (!mayFit) this.#stop.abort();
      await this.#settleRest();
      this.#stop.abort();
      await this.#fileCount.ended;
    }
    yield* this.#leftOut();
    const links = this.#links === 0 ? {} : { message: `${this.#links} links were not followed` };
    yield { ...this.#progress("summary"), ...links };
  }

  async *#walk(): AsyncGenerator<ImportProgress> {
    for await (const entry of walkTree(this.#root)) {
      if (entry.kind === "link") this.#links += 1;
      else if (entry.kind === "unreadable") yield this.#problem(entry.error);
      else if (entry.kind === "special") yield this.#problem(notContent(entry.path));
      else if (entry.kind === "file") yield* this.#start(entry.path);
    }
  }

  async *#start(path: string): AsyncGenerator<ImportProgress> {
    yield* this.#settle();
    while (!this.#hasRoom) {
      // What is gathered may be what the others wait behind.
      if (!this.#tasks.hasRoom) this.#groups.flush();
      await this.#tasks.waitForAny(progressEveryMs);
      yield* this.#settle();
    }
    this.#tasks.add(() => this.#import(path));
    await this.#letOthersRun();
  }

  get #hasRoom(): boolean {
    if (!this.#tasks.hasRoom || !this.#groups.hasRoom) return false;
    return this.#tasks.running - this.#groups.waiting < aloneAtOnce;
  }

  /** Small files keep the thread busy without a break: others on it get their turn. */
  async #letOthersRun(): Promise<void> {
    const now = performance.now();
    if (now - this.#othersRanAt < turnMs) return;
    await setImmediate();
    this.#othersRanAt = performance.now();
  }

  async #import(path: string): Promise<Outcome> {
    try {
      const file = await importFile(join(this.#root, path), this.#target, {
        name: this.#feed.nameOf(path),
        profile: this.#options.profile ?? defaultProfile,
        dryRun: this.#request.dryRun ?? false,
        signal: this.#signal,
        largeFiles: this.#largeFiles,
        alone: this.#alone,
        groups: this.#groups,
      });
      return { path, file };
    } catch (thrown) {
      // However it showed: what ends after the signal ends because of it.
      const error = this.#signal.aborted ? cancelled(thrown) : EngineError.from(thrown);
      return { path, error };
    }
  }

  /** Takes what is finished, in order; throws what ends the import. */
  async *#settle(): AsyncGenerator<ImportProgress> {
    for (const outcome of this.#tasks.take()) {
      if ("file" in outcome) this.#count(outcome.path, outcome.file);
      else if (endsImport(outcome.error)) throw this.#stopped(outcome.error);
      else yield this.#problem(outcome.error);
    }
    this.#groups.flushOld();
    if (this.#feed.isFull) await this.#feed.put(this.#date());
    yield* this.#leftOut();
    if (this.#now() - this.#reportedAt >= progressEveryMs) yield this.#progress("progress");
  }

  /** Files whose content the index did not take. */
  *#leftOut(): Generator<ImportProgress> {
    for (const problem of this.#feed.takeProblems()) {
      this.#files -= 1;
      yield this.#problem(problem);
    }
  }

  /** After the end, whatever it was: records what the tasks that were under way have stored. */
  async #settleRest(): Promise<void> {
    while (this.#tasks.pending > 0) {
      this.#groups.flush();
      for (const outcome of this.#tasks.take()) {
        if ("file" in outcome) this.#count(outcome.path, outcome.file);
      }
      if (this.#tasks.pending > 0) await this.#tasks.waitForAny(progressEveryMs);
    }
    await this.#feed.finish(this.#date());
  }

  #count(path: string, file: ImportedFile): void {
    this.#files += 1;
    this.#bytes += file.object.size;
    if (!this.#request.dryRun) this.#feed.add(path, file);
    else if (file.known) this.#dryRun.known += 1;
    else this.#dryRun.added += 1;
  }

  #progress(type: ImportProgress["type"]): ImportProgress {
    const now = this.#now();
    this.#reportedAt = now;
    return {
      type,
      files: this.#files,
      ...this.#fileCount.total(this.#files + this.#problems),
      bytes: this.#bytes,
      added: this.#feed.added + this.#dryRun.added,
      known: this.#feed.known + this.#dryRun.known,
      problems: this.#problems,
      elapsedMs: now - this.#startedAt,
    };
  }

  #problem({ message, hint }: EngineError): ImportProgress {
    this.#problems += 1;
    const told = hint === undefined ? message : `${message}: ${hint}`;
    return { ...this.#progress("problem"), message: told };
  }

  #stopped(error: EngineError): EngineError {
    const { code, retryable, hint, details } = error;
    const why = code === "CANCELLED" ? "it was cancelled" : error.message;
    const message = `the import stopped after ${this.#files} files: ${why}`;
    const goOn = "import the folder again to go on where it stopped";
    return new EngineError(code, message, {
      retryable,
      details,
      hint: hint === undefined ? goOn : `${hint}; then ${goOn}`,
      cause: error,
    });
  }

  #date(): Date {
    return this.#options.now?.() ?? new Date();
  }

  #now(): number {
    return this.#date().getTime();
  }
}

/** A failing target would fail for every file; a file's own failure is only its own. */
function endsImport(error: EngineError): boolean {
  return error.code === "CANCELLED" || transferFault(error)?.side === "target";
}

function notContent(path: string): EngineError {
  return new EngineError("UNREADABLE", `${path} was left out`, {
    hint: "it is a device, a socket, a pipe, or the store of a local backend",
  });
}

function cancelled(cause: unknown): EngineError {
  return new EngineError("CANCELLED", "the import was cancelled", { cause });
}
