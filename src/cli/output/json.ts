/** JSON that loses nothing: big integers and times as text, bytes as hexadecimal digits. */
export function toJsonText(value: unknown, indent?: number): string {
  return JSON.stringify(value, replace, indent);
}

function replace(this: unknown, key: string, value: unknown): unknown {
  // Bytes and dates reach a replacer already converted; the holder has the original.
  const original = typeof this === "object" && this !== null ? Reflect.get(this, key) : value;
  if (original instanceof Uint8Array) return Buffer.from(original).toString("hex");
  return typeof value === "bigint" ? value.toString() : value;
}
