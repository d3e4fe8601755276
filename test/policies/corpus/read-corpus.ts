import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { parse, stringify } from "yaml";

/** Something that people say to a peer system, and how it is said here. */
export interface Intent {
  readonly system: string;
  readonly intent: string;
  /** System and document where it is found. */
  readonly source: string;
  /** Why it cannot be said here; then there is no policy. */
  readonly cannot?: string;
  /** The policy as a file. */
  readonly text: string;
  /** For each rule the objects that it acts on: in its order, cut by its limit. */
  readonly selects: Readonly<Record<string, readonly string[]>>;
  /** For each rule what it does, in the words of `verbWords`. */
  readonly does: Readonly<Record<string, string>>;
}

export const corpusFolder = fileURLToPath(new URL(".", import.meta.url));

/** The intents of all systems: every file of this folder but the objects they are tried on. */
export async function readCorpus(): Promise<readonly Intent[]> {
  const files = (await readdir(corpusFolder)).filter(
    (file) => file.endsWith(".yaml") && file !== "fixture.yaml",
  );
  const intents = files.toSorted().map(async (file) => {
    const { system, intents: entries } = parse(
      await readFile(`${corpusFolder}${file}`, "utf8"),
    ) as { readonly system: string; readonly intents: readonly Entry[] };
    return entries.map((entry) => intentOf(system, entry));
  });
  return (await Promise.all(intents)).flat();
}

/** An intent as the files have it: a rule of its own, or several by name. */
interface Entry {
  readonly intent: string;
  readonly source: string;
  readonly native?: string;
  readonly cannot?: string;
  /** Keys of the policy besides its rules. */
  readonly policy?: object;
  readonly rules?: readonly object[];
  readonly selects?: readonly string[] | Readonly<Record<string, readonly string[]>>;
  readonly does?: string | Readonly<Record<string, string>>;
}

function intentOf(system: string, entry: Entry): Intent {
  const {
    intent,
    source,
    native: _,
    cannot,
    policy,
    rules,
    selects = [],
    does = "",
    ...rule
  } = entry;
  const text = stringify({
    apiVersion: "thermocline/v1",
    kind: "Policy",
    metadata: { name: "corpus" },
    ...policy,
    rules: rules ?? [{ name: "rule", ...rule }],
  });
  return {
    system,
    intent,
    source,
    ...(cannot === undefined ? {} : { cannot }),
    text,
    selects: isList(selects) ? { rule: selects } : selects,
    does: typeof does === "string" ? { rule: does } : does,
  };
}

function isList(value: object): value is readonly string[] {
  return Array.isArray(value);
}
