import type { Backend } from "#model/backend.ts";

/** A mark of how full a backend is, as a share of its capacity or in bytes. */
export type UsageMark = { readonly share: number } | { readonly bytes: number };

/** What objects can share a quota by: `owner`, `collection`, or the value of a tag. */
export const quotaKey = /^(owner|collection|meta\.[A-Za-z0-9_][A-Za-z0-9_./-]*)$/;

/** What bounds a rule that gives up copies; without any it gives up all that it selects. */
export interface RemovalBounds {
  /** Free nothing while the backend is no fuller than this. */
  readonly above?: UsageMark;
  /** Free no more than to this mark. */
  readonly until?: UsageMark;
  /** Free no more than what is beyond it. */
  readonly quota?: Quota;
}

/** What the objects of each owner (or collection, or value) may use on the backends of a rule. */
export interface Quota {
  /** Matches `quotaKey`. */
  readonly per: string;
  readonly bytes: number;
}

/** The same for the backends as they are: how many bytes have to go from which of them. */
export interface CompiledBounds {
  /** Backends above their mark, by id; missing without a mark. */
  readonly free?: readonly { readonly backend: number; readonly bytes: number }[];
  readonly quota?: Quota;
}

/** What has to go from each of these backends. */
export function compileBounds(
  { above, until, quota }: RemovalBounds,
  from: readonly Backend[],
): CompiledBounds {
  if (quota !== undefined) return { quota };
  if (until === undefined) return {};
  const free = from.flatMap((backend) => {
    const low = bytesOf(until, backend);
    const high = bytesOf(above ?? until, backend);
    if (low === undefined || high === undefined || backend.usedBytes <= high) return [];
    return [{ backend: backend.id, bytes: backend.usedBytes - low }];
  });
  return { free };
}

/** A mark in bytes; undefined when it is a share of a capacity that nobody knows. */
function bytesOf(mark: UsageMark, { capacityBytes }: Backend): number | undefined {
  if ("bytes" in mark) return mark.bytes;
  return capacityBytes === undefined ? undefined : Math.floor(mark.share * capacityBytes);
}

/** Whether a rule wants only some of the copies that it selects gone, and so claims none of them. */
export function isBounded({ free, quota }: CompiledBounds): boolean {
  return free !== undefined || quota !== undefined;
}
