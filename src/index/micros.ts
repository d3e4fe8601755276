/** Microseconds since 1970, as `make_timestamp($n::BIGINT)` takes them. */
export function micros(time: Date): bigint {
  return BigInt(time.getTime()) * 1_000n;
}
