import { damageCopy } from "../damage.ts";
import type { Fault } from "./fault.ts";

/** A byte of a stored file changes, or the file is gone, behind the driver's back. */
export const damageStoredCopy: Fault = {
  name: "damage-copy",
  weight: 5,
  target: () => "copy",
  inject: async ({ stage, random, note }) => {
    // It asks a controller, which may be away: then there is no harm this time.
    const damage = await damageCopy(stage, random).catch(() => undefined);
    if (damage !== undefined) await note({ ...damage });
  },
};
