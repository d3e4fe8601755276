import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { z } from "zod";
import { EngineError } from "#model/engine-error.ts";
import type { Plan } from "#model/plan.ts";

/** What printing needs; the engine checks the whole of it, and its CID, before it runs. */
const planSchema = z.looseObject({
  cid: z.string(),
  evaluatedAt: z.string(),
  header: z.looseObject({
    totals: z.looseObject({ actions: z.number(), groups: z.array(z.unknown()) }),
    guards: z.array(z.unknown()),
    blocked: z.array(z.unknown()),
  }),
});

/** Reads `<name>.plan.json` to show it. */
export async function readPlanFile(file: string, cwd: string): Promise<Plan> {
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
    return planSchema.parse(JSON.parse(text)) as unknown as Plan;
  } catch (cause) {
    throw new EngineError("INVALID_DOCUMENT", `${file} is not a plan of thermocline`, {
      cause,
      hint: "name the file that ends in .plan.json; its rows lie beside it",
    });
  }
}
