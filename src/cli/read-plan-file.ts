import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { EngineError } from "#model/engine-error.ts";
import type { SavedPlan } from "#model/plan.ts";
import { savedPlanSchema } from "#model/plan-schema.ts";

/** Reads `<name>.plan.json` to show it; the engine checks its CID, and its rows, before it runs. */
export async function readPlanFile(file: string, cwd: string): Promise<SavedPlan> {
  let text: string;
  try {
    text = await readFile(resolve(cwd, file), "utf8");
  } catch (cause) {
    throw new EngineError("NOT_FOUND", `the plan file ${file} cannot be read`, {
      cause,
      hint: "`thermocline plan --out NAME` writes NAME.plan.json",
    });
  }
  try {
    return savedPlanSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new EngineError("INVALID_DOCUMENT", `${file} is not a plan of thermocline`, {
      cause,
      hint: "name the file that ends in .plan.json; its rows lie beside it",
    });
  }
}
