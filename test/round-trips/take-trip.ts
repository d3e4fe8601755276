import { createHash } from "node:crypto";
import type { Confidence, StoredCopy } from "#model/copy.ts";
import type { ByteStream } from "#model/driver.ts";
import { transfer } from "#jobs/transfer.ts";
import { collect, permit } from "../conformance/sample-object.ts";
import type { KuboNode } from "../services/kubo.ts";
import type { TripContent } from "./trip-content.ts";
import type { TripPlace } from "./trip-places.ts";

/** One leg of a trip, as it ended. */
export interface TripLeg {
  readonly from: string;
  readonly to: string;
  readonly copy: StoredCopy;
  readonly confidence: Confidence;
  /** What another tool reads at the target: SHA-256 of the file, or of the CAR that a node makes. */
  readonly digest: string;
  readonly tookMs: number;
  /** Of this process. */
  readonly processorMs: number;
}

/** A tour of places that takes every pair of them once in each direction, and ends at its start. */
export function everyPair<Place>(places: readonly Place[]): readonly Place[] {
  const tour = places.flatMap((place, at) =>
    places.slice(at + 1).flatMap((other) => [place, other]),
  );
  return [...tour, ...places.slice(0, 1)];
}

/**
 * Has content travel: at each place it is copied as a worker copies it, looked at by other tools,
 * and then removed where it came from, so that every leg brings all of it anew.
 */
export async function* takeTrip(
  { object, isFile, body }: TripContent,
  tour: readonly TripPlace[],
  judge: KuboNode,
): AsyncGenerator<TripLeg> {
  const [start, ...stops] = tour;
  if (start === undefined) return;
  let from = start;
  let copy = await from.driver.write(object, body());
  for (const to of stops) {
    const [began, processor] = [performance.now(), process.cpuUsage()];
    const source = { backend: from.name, driver: from.driver, copy };
    const moved = await transfer(object, source, { backend: to.name, driver: to.driver });
    const tookMs = Math.round(performance.now() - began);
    const { user, system } = process.cpuUsage(processor);
    const processorMs = Math.round((user + system) / 1_000);
    const digest = await digestAt(to, moved.copy, object.cid, isFile, judge);
    const { confidence, finding } = moved.evidence;
    if (!moved.moved || finding !== "present") throw new Error(`${to.name}: ${finding}`);
    yield {
      from: from.name,
      to: to.name,
      copy: moved.copy,
      confidence,
      digest,
      tookMs,
      processorMs,
    };
    await leave(from, object.cid, () => from.driver.remove(object, permit(object, from.name)));
    [from, copy] = [to, moved.copy];
  }
  await leave(from, object.cid, () => from.driver.remove(object, permit(object, from.name)));
}

/** The places that take this content. */
export function placesFor<Place extends Pick<TripPlace, "takes">>(
  { object }: Pick<TripContent, "object">,
  places: readonly Place[],
): readonly Place[] {
  return places.filter(({ takes }) => takes?.(object) ?? true);
}

/** What content is known by before it travels: the same as `digest` of every leg. */
export async function digestBefore(
  { object, isFile, body }: TripContent,
  judge: KuboNode,
): Promise<string> {
  const { stream } = body();
  return isFile
    ? await sha256(stream)
    : await digestOfCar(await collect(stream), object.cid, false, judge);
}

async function digestAt(
  place: TripPlace,
  copy: StoredCopy,
  cid: string,
  isFile: boolean,
  judge: KuboNode,
): Promise<string> {
  if (copy.form === "dag") {
    const nodes = (await place.holding?.(cid)) ?? place.nodes;
    if (nodes.length === 0) throw new Error(`${place.name}: no node holds ${cid}`);
    const digests = await Promise.all(nodes.map((node) => digestAtNode(node, cid, isFile)));
    if (new Set(digests).size !== 1) throw new Error(`${place.name}: its nodes do not agree`);
    return digests[0] ?? "";
  }
  const bytes = await place.bytesOf(copy);
  return copy.form === "file"
    ? await sha256(bytes)
    : await digestOfCar(await collect(bytes), cid, isFile, judge);
}

/** A node that holds nothing else takes the CAR for its own, and shows what it understood. */
async function digestOfCar(
  car: Buffer,
  cid: string,
  isFile: boolean,
  judge: KuboNode,
): Promise<string> {
  const body = new FormData();
  body.append("file", new Blob([new Uint8Array(car)]), "content.car");
  await judge.ask("dag/import?pin-roots=true", { body });
  const digest = await digestAtNode(judge, cid, isFile);
  await judge.ask(`pin/rm?arg=${cid}`);
  await judge.ask("repo/gc?quiet=true");
  return digest;
}

async function digestAtNode(node: KuboNode, cid: string, isFile: boolean): Promise<string> {
  const command = isFile ? "cat" : "dag/export";
  const question = `${node.rpc}/api/v0/${command}?arg=${cid}&offline=true&progress=false`;
  const answer = await fetch(question, { method: "POST" });
  if (!answer.ok || answer.body === null) throw new Error(await answer.text());
  return await sha256(answer.body);
}

async function sha256(stream: ByteStream): Promise<string> {
  const hasher = createHash("sha256");
  for await (const bytes of stream) hasher.update(bytes);
  return hasher.digest("hex");
}

async function leave(place: TripPlace, cid: string, remove: () => Promise<string>): Promise<void> {
  const removed = await remove();
  if (removed !== "removed") throw new Error(`${place.name}: ${cid} was ${removed}`);
  await Promise.all(place.nodes.map((node) => node.ask("repo/gc?quiet=true")));
}
