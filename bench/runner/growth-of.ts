import type { SizeReport } from "./measure-size.ts";

/** How much a cost grows from one size to the next: with the size to the power of this. */
export interface Growth {
  readonly what: string;
  readonly from: number;
  readonly to: number;
  /** 1 grows as the objects do, 0 not at all. */
  readonly ours: number;
  readonly peer: number;
  /** Of processor time, which a busy machine distorts less. */
  readonly processor?: { readonly ours: number; readonly peer: number };
}

/** Between neighbouring sizes, for what was measured at both. */
export function growthOf(sizes: readonly SizeReport[]): readonly Growth[] {
  return sizes.slice(1).flatMap((larger, at) => {
    const smaller = sizes[at];
    if (smaller === undefined) return [];
    const decades = Math.log(larger.objects / smaller.objects);
    const exponent = (before: number, after: number) => Math.log(after / before) / decades;
    return larger.measurements.flatMap((after) => {
      const before = smaller.measurements.find(({ what }) => what === after.what);
      if (before === undefined) return [];
      const pair = { from: smaller.objects, to: larger.objects };
      const side = (of: "ours" | "peer") => exponent(before[of], after[of]);
      const [was, is] = [before.processor, after.processor];
      const processor =
        was === undefined || is === undefined
          ? {}
          : {
              processor: {
                ours: exponent(was.ours, is.ours),
                peer: exponent(was.peer, is.peer),
              },
            };
      return [{ what: after.what, ...pair, ours: side("ours"), peer: side("peer"), ...processor }];
    });
  });
}
