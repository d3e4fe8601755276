import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

type Collect = (options: { readonly type: "minor" }) => void;

/** Undefined until it is asked for. */
let collect: Collect | undefined;

/**
 * Has V8 collect what is young. A chunk that DuckDB gave is freed when its object is collected, which
 * for V8 is a few bytes, and what is made of chunks for a list is garbage soon. Left to itself V8 lets
 * its young generation grow to a hundred megabytes meanwhile, with as many chunks beside it. What lives
 * longer is not looked at, so this takes one to three milliseconds.
 */
export function collectYoung(): void {
  collect ??= exposedCollect();
  collect({ type: "minor" });
}

function exposedCollect(): Collect {
  setFlagsFromString("--expose-gc");
  const found: unknown = runInNewContext("globalThis.gc");
  // Without it more memory is held, and nothing else is wrong.
  return typeof found === "function" ? (found as Collect) : () => undefined;
}
