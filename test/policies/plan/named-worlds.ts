import * as fc from "fast-check";
import type { World } from "./arbitrary-world.ts";

/** The same worlds with backends of which some are other names of a storage, or span several. */
export function withNames(worlds: fc.Arbitrary<World>): fc.Arbitrary<World> {
  return worlds.chain((world) => {
    const ids = world.backends.map(({ id }) => id);
    const storages = ids.map((id) =>
      fc.oneof(
        { weight: 3, arbitrary: fc.constant([id]) },
        { weight: 2, arbitrary: fc.subarray([0, 1], { minLength: 1, maxLength: 1 }) },
        { weight: 1, arbitrary: fc.subarray(ids, { minLength: 2, maxLength: 2 }) },
      ),
    );
    return fc.tuple(...storages).map((own) => {
      const backends = world.backends.map((backend, at) => {
        const sameAs = ids.filter(
          (id) => id !== backend.id && own[id]?.some((one) => own[at]?.includes(one)),
        );
        return sameAs.length === 0 ? backend : { ...backend, sameAs };
      });
      return { ...world, backends };
    });
  });
}

/** The same worlds with rules that spread copies wherever they want several. */
export function withSpreads(worlds: fc.Arbitrary<World>): fc.Arbitrary<World> {
  return worlds.map((world) => ({
    ...world,
    rules: world.rules.map(({ rule, matches }) => {
      const { verb } = rule;
      return verb.kind === "ensure"
        ? { rule: { ...rule, verb: { ...verb, per: "region" } }, matches }
        : { rule, matches };
    }),
  }));
}
