import { z } from "zod";
import type { RunOrder } from "#model/run-order.ts";
import type { RunActionDefinition } from "#policies/run-actions/run-action.ts";
import { joinFragments, sql } from "#policies/sql-fragment.ts";

const tagField = z
  .string()
  .regex(/^\S(?:.{0,253}\S)?$/u, {
    error: "a tag has 1 to 255 characters and no blank at its ends",
  })
  .describe("A tag, such as reviewed or project=atlas.");

const tagList = (about: string) =>
  z
    .union([tagField, z.array(tagField).min(1)])
    .transform((given) => (typeof given === "string" ? [given] : given))
    .describe(about)
    .optional();

const keyField = z.string().regex(/^[^\s=]+$/u, {
  error: "a key has neither blanks nor an equals sign",
});

const schema = z
  .strictObject({
    add: tagList("Tags that the objects shall have."),
    remove: tagList("Tags that they shall not have."),
    set: z
      .record(
        keyField,
        z.union([z.string().min(1).max(255), z.number(), z.boolean()]).transform(String),
      )
      .describe("Values by key: each is the only tag key=value of its key, which meta.<key> reads.")
      .optional(),
  })
  .refine(({ add, remove, set }) => (add ?? remove) !== undefined || hasKeys(set), {
    error: "a tag action says what to change",
    params: { hint: "write add:, remove: or set: {key: value}" },
  })
  .refine(({ add = [], remove = [], set = {} }) => !contradicts(add, remove, set), {
    error: "the same tag cannot come and go",
    params: { hint: "keep it in one of add:, remove: and set:" },
  })
  .describe("Gives objects tags, or takes them away: an entry of the index, no byte is moved.")
  .transform(({ add = [], remove = [], set = {} }) => ({
    order: { action: "tag", add, remove, set } as const,
  }));

type TagOrder = Extract<RunOrder, { readonly action: "tag" }>;

const tag: RunActionDefinition<TagOrder, z.input<typeof schema>> = {
  name: "tag",
  schema,
  example: "run: { tag: { add: stale, remove: fresh, set: { reviewed-by: policy } } }",
  words: ({ add, remove, set }) =>
    [
      ...(add.length === 0 ? [] : [`gets ${add.join(", ")}`]),
      ...Object.entries(set).map(([key, value]) => `gets ${key}=${value}`),
      ...(remove.length === 0 ? [] : [`loses ${remove.join(", ")}`]),
    ].join(", "),
  wants: (_rule, { add, remove, set }) => {
    const values = Object.entries(set).map(([key, value]) => [key, `${key}=${value}`] as const);
    const lacking = [...add, ...values.map(([, text]) => text)].map(
      (text) => sql`o.object_id NOT IN (SELECT object_id FROM tag WHERE tag = ${text})`,
    );
    const surplus = remove.map(
      (text) => sql`o.object_id IN (SELECT object_id FROM tag WHERE tag = ${text})`,
    );
    const others = values.map(
      ([key, text]) => sql`o.object_id IN (SELECT object_id FROM tag
        WHERE starts_with(tag, ${`${key}=`}::VARCHAR) AND tag <> ${text})`,
    );
    return sql`(${joinFragments([...lacking, ...surplus, ...others], " OR ")})`;
  },
};

export default tag;

function hasKeys(set: Readonly<Record<string, string>> | undefined): boolean {
  return set !== undefined && Object.keys(set).length > 0;
}

function contradicts(
  add: readonly string[],
  remove: readonly string[],
  set: Readonly<Record<string, string>>,
): boolean {
  const values = Object.entries(set).map(([key, value]) => `${key}=${value}`);
  const ofKeys = add.some((text) =>
    Object.entries(set).some(([key, value]) => {
      return text.startsWith(`${key}=`) && text !== `${key}=${value}`;
    }),
  );
  return ofKeys || [...add, ...values].some((text) => remove.includes(text));
}
