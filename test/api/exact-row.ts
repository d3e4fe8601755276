/** A row with every kind of value that JSON lacks. */
export const exactRow = {
  a: 2n ** 60n,
  t: new Date("2026-03-01T12:00:00.000Z"),
  b: new Uint8Array([1, 2, 3]),
  n: Number.NaN,
};
