import { parseTimeInName, timeInName } from "#engine/snapshots/time-in-name.ts";

/** A snapshot on a backend, as the name of its manifest tells it: nothing has to be read. */
export interface ListedSnapshot {
  readonly cid: string;
  readonly takenAt: string;
  readonly commits: number;
  /** Whose index it is. */
  readonly installation: string;
}

export const manifestFolder = "snapshots/manifests";

const pattern = /^snapshots\/manifests\/([a-z0-9][a-z0-9-]*)\/([\dtz.]+)-(\d+)-(b[a-z2-7]+)\.cbor$/;

/** The name says the time: whoever lists the folder finds the newest, and nothing points at it. */
export function manifestName({ cid, takenAt, commits, installation }: ListedSnapshot): string {
  return `${manifestFolder}/${installation}/${timeInName(takenAt)}-${commits}-${cid}.cbor`;
}

/** Undefined for a file that is no manifest. */
export function parseManifestName(name: string): ListedSnapshot | undefined {
  const match = pattern.exec(name);
  if (match === null) return undefined;
  const [, installation = "", time = "", commits, cid = ""] = match;
  const takenAt = parseTimeInName(time);
  if (takenAt === undefined) return undefined;
  return { cid, takenAt, commits: Number(commits), installation };
}
