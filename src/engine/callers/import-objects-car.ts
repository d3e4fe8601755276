import type { CID } from "multiformats/cid";
import { BlockFile } from "#content/block-file.ts";
import { blockIdentity } from "#content/car-checker.ts";
import { carToFile, isNoFile } from "#content/car-to-file.ts";
import { rawCode } from "#content/cid.ts";
import { defaultProfile, profileNamed } from "#content/profile.ts";
import { carOfDag, type DagSurvey, requireWhole, surveyDag } from "#content/walk-dag.ts";
import { counted, type Work } from "#engine/callers/work-steps.ts";
import { explainUnreadableCar } from "#engine/callers/explain-unreadable-car.ts";
import { localFileError } from "#jobs/local-file-error.ts";
import { EngineError } from "#model/engine-error.ts";
import {
  directoryType,
  type ObjectContentApi,
  type StoredObject,
  type ContentFacts,
} from "#model/object-content.ts";

export interface CarImport {
  /** A CARv1 or CARv2 on this machine. */
  readonly file: string;
  readonly names: readonly string[];
  readonly facts: ContentFacts;
  /** Only checks when there is no engine to hand the objects to. */
  readonly api: Pick<ObjectContentApi, "storeObject"> | undefined;
}

export interface ImportedRoot {
  readonly cid: string;
  readonly size: number;
  readonly blocks: number;
  /** Of a file: the profile that gives its bytes this CID, or `unknown`; undefined for others. */
  readonly profile: string | undefined;
  readonly stored: StoredObject | undefined;
}

/**
 * Makes each root of a CAR an object. Every block is checked first, and that nothing is missing
 * under any root: before that nothing is stored. Blocks may stand in any order.
 */
export async function importObjectsCar(
  { file, names, facts, api }: CarImport,
  work: Work,
): Promise<readonly ImportedRoot[]> {
  const { blocks, roots } = await BlockFile.ofCar(file).catch(async (thrown: unknown) => {
    throw await explainUnreadableCar(file, localFileError(thrown, file));
  });
  await using _ = blocks;
  const distinct = new Map(roots.map((root) => [blockIdentity(root), root]));
  if (distinct.size === 0) {
    throw new EngineError("CORRUPT", `${file} names no root`, {
      hint: "write it anew with the root of the object in its header",
    });
  }
  const surveys: { readonly root: CID; readonly survey: DagSurvey }[] = [];
  for (const root of distinct.values()) {
    const survey = await surveyDag(blocks, root);
    requireWhole(root, survey);
    surveys.push({ root, survey });
  }
  const imported: ImportedRoot[] = [];
  for (const { root, survey } of surveys) {
    work.signal.throwIfAborted();
    const { size, isDirectory } = survey;
    const object = { cid: root.toString(), size, profile: profileOf(root, size) };
    const type = isDirectory ? { type: directoryType } : {};
    const request = { ...object, form: "car", names, ...type, ...facts } as const;
    const car = counted(carOfDag(blocks, [root]), work);
    const stored = await api?.storeObject(request, car);
    work.done += 1;
    const profile = survey.isFile ? await foundProfile(blocks, root, object) : undefined;
    imported.push({ cid: object.cid, size, blocks: survey.blocks, profile, stored });
  }
  return imported;
}

/** Whether the profile that was taken does give the bytes of a file their CID. */
async function foundProfile(
  blocks: BlockFile,
  root: CID,
  object: { readonly cid: string; readonly size: number; readonly profile: string },
): Promise<string> {
  try {
    // The same way looks whether its bytes may be kept without their blocks.
    for await (const _ of carToFile(carOfDag(blocks, [root]), object, "store"));
    return object.profile;
  } catch (thrown) {
    if (isNoFile(EngineError.from(thrown))) return "unknown";
    throw thrown;
  }
}

/** The profile that content of this CID usually has. */
function profileOf(root: CID, size: number): string {
  if (root.version === 0) return "unixfs-v0-2015";
  const isOneLargeBlock = root.code === rawCode && size > profileNamed(defaultProfile).chunkBytes;
  return isOneLargeBlock ? "raw-sha256" : defaultProfile;
}
