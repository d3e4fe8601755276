import { CID } from "multiformats/cid";

/**
 * JSON that loses nothing: big integers and times as text, bytes as hexadecimal digits, and bytes
 * that are a CID as its text.
 */
export function toJsonText(value: unknown, indent?: number): string {
  return JSON.stringify(value, replace, indent);
}

function replace(this: unknown, key: string, value: unknown): unknown {
  // Bytes and dates reach a replacer already converted; the holder has the original.
  const original = typeof this === "object" && this !== null ? Reflect.get(this, key) : value;
  if (original instanceof Uint8Array) return bytesText(original);
  return typeof value === "bigint" ? value.toString() : value;
}

function bytesText(bytes: Uint8Array): string {
  return cidText(bytes) ?? Buffer.from(bytes).toString("hex");
}

const [versionZero, versionOne] = [0x12, 0x01];
/** Bytes of a CID with the shortest digest that names content rather than bears it. */
const cidLengthMin = 20;

/** Undefined for bytes that are no CID: version, codec, and a digest of just the length it tells. */
function cidText(bytes: Uint8Array): string | undefined {
  if (bytes.length < cidLengthMin) return undefined;
  if (bytes[0] !== versionZero && bytes[0] !== versionOne) return undefined;
  try {
    return CID.decode(bytes).toString();
  } catch {
    return undefined;
  }
}
