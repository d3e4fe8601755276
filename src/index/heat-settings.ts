import { type Connection, micros } from "#index/connection.ts";
import type { Database } from "#index/database.ts";
import { EngineError } from "#model/engine-error.ts";
import type { HeatSettings } from "#model/index-store.ts";

const defaultHalfLifeMs = 7 * 86_400_000;

/** Fixes the half-life when the index is new; later only checks that it is the same. */
export async function ensureHeatSettings(
  database: Database,
  halfLifeMs: number | undefined,
  now: Date,
): Promise<void> {
  const found = await database.read(storedSettings);
  if (found === undefined) {
    await database.write(async (transaction) => {
      await transaction.run("INSERT INTO heat_settings VALUES (make_timestamp($1::BIGINT), $2)", [
        micros(now),
        halfLifeMs ?? defaultHalfLifeMs,
      ]);
      transaction.keepVersion();
    });
  } else if (halfLifeMs !== undefined && halfLifeMs !== found.halfLifeMs) {
    await database.close();
    throw new EngineError(
      "NOT_SUPPORTED",
      `heat in this index decays with a half-life of ${found.halfLifeMs} ms, not ${halfLifeMs}`,
      { hint: "the half-life is fixed when an index is made: configure the same one" },
    );
  }
}

/** Landmark and half-life of the stored weights. */
export async function heatSettings(connection: Connection): Promise<HeatSettings> {
  const settings = await storedSettings(connection);
  if (settings === undefined) throw new EngineError("CORRUPT", "the index has no heat settings");
  return settings;
}

async function storedSettings(connection: Connection): Promise<HeatSettings | undefined> {
  const [row] = await connection.rows<{ landmark: Date; half_life_ms: number }>(
    "SELECT landmark, half_life_ms FROM heat_settings",
  );
  return row && { landmark: row.landmark, halfLifeMs: row.half_life_ms };
}
