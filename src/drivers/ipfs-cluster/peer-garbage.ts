import { z } from "zod";
import type { ByteStream } from "#model/driver.ts";

/** What a peer answered when it was told to collect garbage. */
export interface PeerGarbage {
  readonly name: string;
  readonly blocks: number;
  /** What went wrong there, or empty. */
  readonly error: string;
}

/** A block that was dropped, as the cluster tells of each: within a string its quotes are escaped. */
const droppedBlock = /\{"key":(?:"[^"\\]*"|\{"\/":"[^"\\]*"\})\}/g;
const counts = /\d+(?:,\d+)+(?=[,\]])/g;

/**
 * Reads the answer of `POST /ipfs/gc`, one JSON value with every block that was dropped: in its
 * place their number is kept, so that memory does not grow with them. Undefined when it is none.
 */
export async function readPeerGarbage(
  answer: ByteStream,
): Promise<readonly PeerGarbage[] | undefined> {
  const decoder = new TextDecoder();
  let text = "";
  let begun = "";
  for await (const bytes of answer) {
    begun += decoder.decode(bytes, { stream: true });
    const whole = begun.lastIndexOf("}") + 1;
    text += shortened(begun.slice(0, whole));
    begun = begun.slice(whole);
  }
  const parsed = garbageAnswer.safeParse(valueOf(text + begun + decoder.decode()));
  if (!parsed.success) return undefined;
  return Object.entries(parsed.data.peer_map).map(([id, { peername, keys, error }]) => {
    const blocks = keys.reduce<number>((sum, key) => sum + (typeof key === "number" ? key : 0), 0);
    const failed = keys.flatMap((key) => (typeof key === "number" ? [] : (key.error ?? [])));
    return { name: peername || id, blocks, error: error || (failed[0] ?? "") };
  });
}

function shortened(text: string): string {
  return text
    .replaceAll(droppedBlock, "1")
    .replaceAll(counts, (run) => String(run.split(",").reduce((sum, one) => sum + Number(one), 0)));
}

function valueOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

const peerAnswer = z.object({
  peername: z.string().default(""),
  keys: z
    .array(z.union([z.number(), z.object({ error: z.string().optional() })]))
    .nullish()
    .transform((keys) => keys ?? []),
  error: z.string().default(""),
});
const garbageAnswer = z.object({ peer_map: z.record(z.string(), peerAnswer) });
