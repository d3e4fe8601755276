import { z } from "zod";
import { shapeOf } from "#model/shape.ts";

/** What a rule with `run:` has done with each of its objects; the name of the action is its verb. */
export type RunOrder =
  | { readonly action: "verify" }
  | {
      readonly action: "tag";
      readonly add: readonly string[];
      readonly remove: readonly string[];
      /** Tags `key=value`, of which an object has one for each of these keys. */
      readonly set: Readonly<Record<string, string>>;
    }
  /** A name under `webhooks:` or `commands:` of the configuration: where and how is its matter. */
  | { readonly action: "notify"; readonly webhook: string }
  | { readonly action: "command"; readonly command: string }
  /** A name under `exports:`. */
  | { readonly action: "export-car"; readonly folder: string };

/**
 * Where each is done: on the lane of the backend that holds the copy; in the index, which needs
 * nobody else for it; or by the workers that may reach out of the installation.
 */
export const runActionPlaces = {
  verify: "backend",
  tag: "index",
  notify: "outside",
  command: "outside",
  "export-car": "outside",
} as const satisfies Readonly<Record<RunOrder["action"], "backend" | "index" | "outside">>;

/** The lane of what is done outside of the installation; no backend can have this name. */
export const outsideLane = "@outside";

export type RunAction = keyof typeof runActionPlaces;

export const runActions = Object.keys(runActionPlaces) as readonly RunAction[];

/** Whether a verb is an action of `run:`. */
export function isRunAction(verb: string): verb is RunAction {
  return Object.hasOwn(runActionPlaces, verb);
}

/** Whether workers do it, in a step of its own. */
export function isDoneByWorkers(verb: string): boolean {
  return isRunAction(verb) && runActionPlaces[verb] !== "index";
}

/** Whether it is done outside of the installation. */
export function isDoneOutside(verb: string): boolean {
  return isRunAction(verb) && runActionPlaces[verb] === "outside";
}

/**
 * Whether the objects of a batch are handed out together: one message, one run of a command. Then
 * only their names travel, and what fails has failed for all of them.
 */
export function isHandedOut(verb: string): boolean {
  return verb === "notify" || verb === "command";
}

/** An order as it travels. */
export const runOrderSchema: z.ZodType<RunOrder> = z.union([
  shapeOf<Extract<RunOrder, { action: "verify" }>>({ action: z.literal("verify") }),
  shapeOf<Extract<RunOrder, { action: "tag" }>>({
    action: z.literal("tag"),
    add: z.array(z.string()),
    remove: z.array(z.string()),
    set: z.record(z.string(), z.string()),
  }),
  shapeOf<Extract<RunOrder, { action: "notify" }>>({
    action: z.literal("notify"),
    webhook: z.string(),
  }),
  shapeOf<Extract<RunOrder, { action: "command" }>>({
    action: z.literal("command"),
    command: z.string(),
  }),
  shapeOf<Extract<RunOrder, { action: "export-car" }>>({
    action: z.literal("export-car"),
    folder: z.string(),
  }),
]);
