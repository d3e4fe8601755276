/** How far a backend is with freeing the room of what no copy needs any more. */
export interface GarbageStep {
  /** Blocks that are gone. */
  readonly blocks: number;
  /** All blocks that it held at the beginning, those of copies too; undefined where not asked. */
  readonly blocksBefore: number | undefined;
  /** Undefined where nobody says. */
  readonly usedBytesBefore: number | undefined;
  /** What it takes up now; undefined until the end, and where nobody says. */
  readonly usedBytes: number | undefined;
  readonly totalBytes: number | undefined;
  /** At the end, where several nodes dropped blocks: how many each of them. */
  readonly nodes?: readonly GarbageNode[];
}

export interface GarbageNode {
  readonly name: string;
  readonly blocks: number;
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
