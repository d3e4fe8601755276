import type { ObjectRef } from "#model/copy.ts";
import type { TestEngine } from "./test-engine.ts";

/** Objects with one copy on `hot`, verified lately. */
export async function storeOnHot(engine: TestEngine, count: number): Promise<readonly ObjectRef[]> {
  const objects: ObjectRef[] = [];
  for (let at = 0; at < count; at += 1) {
    const { object } = await engine.stores.put("hot", Buffer.from(`object ${at}`));
    engine.index.hold(object, "hot", new Date().toISOString());
    objects.push(object);
  }
  return objects;
}
