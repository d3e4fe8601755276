import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { copyFile, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { makeFolderOf } from "#jobs/make-folder-of.ts";
import { EngineError } from "#model/engine-error.ts";
import { savedPlanSchema } from "#model/plan-schema.ts";
import type { Plan, SavedPlan } from "#model/plan.ts";
import type { ReadSession } from "#model/sql.ts";
import type { RowsWriter } from "#policies/plan/build-plan.ts";
import { planCid, rowsCid } from "#policies/plan/plan-cid.ts";

/** Looks at the file of rows while it is there. */
export type RowsLook = (session: ReadSession, path: string) => Promise<void>;

/** Keeps the rows of a plan as a Parquet file at this path. */
export function rowsAt(path: string, look?: RowsLook): RowsWriter {
  return async (session, rows) => {
    await makeFolderOf(path);
    await session.exportParquet(rows, path);
    await look?.(session, path);
    return { cid: await fileCid(path), path };
  };
}

/**
 * Only identifies the rows: they pass through a file in the system's temporary folder, which
 * is gone when the plan is made. The identity is the same as with a kept file.
 */
export function rowsDiscarded(look?: RowsLook): RowsWriter {
  return async (session, rows) => {
    const folder = await mkdtemp(join(tmpdir(), "thermocline-plan-"));
    try {
      const { cid } = await rowsAt(join(folder, "rows.parquet"), look)(session, rows);
      return { cid, path: "" };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  };
}

/** Paths of a saved plan: `<name>.plan.json` and, beside it, `<name>.plan.parquet`. */
export function planPaths(name: string): { readonly header: string; readonly rows: string } {
  const stem = name.replace(/(\.plan)?(\.json|\.parquet)?$/, "");
  return { header: `${stem}.plan.json`, rows: `${stem}.plan.parquet` };
}

/** Saves a plan whose rows were kept; each file appears whole or not at all. */
export async function writePlan(plan: Plan, name: string): Promise<Plan> {
  if (plan.rowsPath === "") {
    throw new EngineError("USAGE", `the rows of plan ${plan.cid} were not kept`, {
      hint: "make the plan again with a file to write to",
    });
  }
  const paths = planPaths(name);
  const saved = { ...plan, rowsPath: paths.rows };
  try {
    if (plan.rowsPath !== paths.rows) {
      await placeFile(paths.rows, (temporary) => copyFile(plan.rowsPath, temporary));
    }
    const { cid, evaluatedAt, cost, header } = plan;
    const text = `${JSON.stringify({ cid, evaluatedAt, cost, header }, undefined, 2)}\n`;
    await placeFile(paths.header, (temporary) => writeFile(temporary, text));
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new EngineError("UNREADABLE", `the plan cannot be written: ${message}`, {
      hint: "choose a folder that exists and may be written to",
      cause: error,
    });
  }
  return saved;
}

/** Reads a saved plan and checks both its identities: what was changed by hand is refused. */
export async function readPlan(name: string): Promise<Plan> {
  const paths = planPaths(name);
  const plan = parsePlan(await readText(paths.header), paths.header);
  if (planCid(plan.header) !== plan.cid) {
    throw new EngineError("CORRUPT", `${paths.header}: the header does not match its CID`, {
      hint: "it was changed after planning; make the plan again",
    });
  }
  const rows = await fileCid(paths.rows);
  if (rows !== plan.header.rows) {
    throw new EngineError("CORRUPT", `${paths.rows}: the rows do not match the plan's header`, {
      hint: "they were changed after planning; make the plan again",
      details: { expected: plan.header.rows, found: rows },
    });
  }
  return { ...plan, rowsPath: paths.rows };
}

function parsePlan(text: string, path: string): SavedPlan {
  try {
    return savedPlanSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new EngineError("CORRUPT", `${path} is not a plan of this version`, {
      hint: "make the plan again with `thermocline plan --out`",
      cause: error,
    });
  }
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw unreadable(path, error);
  }
}

async function fileCid(path: string): Promise<string> {
  const hash = createHash("sha256");
  try {
    await pipeline(createReadStream(path), hash);
  } catch (error) {
    throw unreadable(path, error);
  }
  return rowsCid(hash.digest());
}

function unreadable(path: string, error: unknown): EngineError {
  const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
  return new EngineError(missing ? "NOT_FOUND" : "UNREADABLE", `${path} cannot be read`, {
    hint: missing ? "give the name that was given to `plan --out`" : "check its permissions",
    cause: error,
  });
}

async function placeFile(path: string, write: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    await write(temporary);
    await rename(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
}
