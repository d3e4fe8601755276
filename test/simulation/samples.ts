import { createHash } from "node:crypto";
import { rawCid } from "#content/cid.ts";
import type { ObjectRef } from "#model/copy.ts";

/** The content of one object of the simulation. */
export interface Content {
  readonly object: ObjectRef;
  readonly bytes: Uint8Array;
}

const sizes = [40, 64, 100, 150] as const;

/** Small objects, always the same; what is stored and moved are their real bytes. */
export const contents: readonly Content[] = Array.from({ length: 6 }, (_, number) => {
  const size = sizes[number % sizes.length] ?? 40;
  const hash = createHash("sha256").update(`content ${number}`).digest();
  const bytes = new Uint8Array(Buffer.concat(Array.from({ length: 5 }, () => hash))).slice(0, size);
  return { object: { cid: rawCid(bytes).toString(), size, profile: "raw-sha256" }, bytes };
});

/** The object number of a CID, for people. */
export function numberOf(cid: string): number {
  return contents.findIndex(({ object }) => object.cid === cid);
}
