const bytes = new DataView(new ArrayBuffer(8));

/**
 * The least double, of negative ones and infinities too, for which a test holds that holds for all
 * above one that it holds for; +Infinity when it holds for none below.
 */
export function leastDouble(holds: (value: number) => boolean): number {
  let [below, least] = [-1n, rankOf(Number.POSITIVE_INFINITY)];
  while (least - below > 1n) {
    const middle = (below + least) / 2n;
    if (holds(atRank(middle))) least = middle;
    else below = middle;
  }
  return atRank(least);
}

const sign = 2n ** 63n;
/** How the bits of -Infinity rank among all bits: below it there are only those that are no number. */
const first = 2n ** 52n - 1n;

/** Doubles in their order are whole numbers from 0 on: the bits of negative ones count down. */
function rankOf(value: number): bigint {
  bytes.setFloat64(0, value);
  const bits = bytes.getBigUint64(0);
  return (bits < sign ? bits + sign : 2n * sign - 1n - bits) - first;
}

function atRank(rank: bigint): number {
  const place = rank + first;
  bytes.setBigUint64(0, place >= sign ? place - sign : 2n * sign - 1n - place);
  return bytes.getFloat64(0);
}
