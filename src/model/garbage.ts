/** How far a backend is with freeing the room of what no copy needs any more. */
export interface GarbageStep {
  /** Blocks that are gone. */
  readonly blocks: number;
  /** All blocks that it held at the beginning, those of copies too; undefined where not asked. */
  readonly blocksBefore: number | undefined;
  readonly usedBytesBefore: number;
  /** What it takes up now; undefined until the end. */
  readonly usedBytes: number | undefined;
  readonly totalBytes: number;
}

export interface GarbageRequest {
  readonly backend: string;
  /** Only say what is known of it beforehand. */
  readonly dryRun?: boolean;
}

export interface GarbageProgress extends GarbageStep {
  readonly type: "progress" | "summary";
  readonly elapsedMs: number;
}
