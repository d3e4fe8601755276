import type { EngineEvent } from "#model/engine-event.ts";
import type { WriteFence } from "#model/write-fence.ts";

/** How an index is opened. */
export interface ObjectIndexOptions {
  /** Opens an index that another program wrote; every write is refused. */
  readonly readOnly?: boolean;
  /** What the process may hold because of it, above its own; default "1GiB". */
  readonly memoryLimit?: string;
  readonly threads?: number;
  /** Half-life of heat; fixed when the index is made. Default seven days. */
  readonly heatHalfLifeMs?: number;
  /** How far the clocks of nodes may differ: permits count as usable that much longer. */
  readonly clockSkewMs?: number;
  /** Asked around every write: whether this process still may. */
  readonly fence?: WriteFence;
  readonly now?: () => Date;
  /** Hears of what became true, after it is stored. */
  readonly onEvent?: (event: EngineEvent) => void;
}
