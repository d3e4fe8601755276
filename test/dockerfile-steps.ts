/** One stage of a Dockerfile with the instructions that this project's own file uses. */
export interface Stage {
  readonly name: string;
  readonly image: string;
  readonly steps: readonly Step[];
}

/** An instruction and its arguments: the raw text for RUN, words for everything else. */
export interface Step {
  readonly instruction: string;
  readonly text: string;
  readonly words: readonly string[];
}

/** Splits a Dockerfile into its stages. Instructions may go on over lines that end in `\`. */
export function dockerfileStages(text: string): readonly Stage[] {
  const joined = text.replaceAll(/\\\n\s*/g, " ");
  const stages: { name: string; image: string; steps: Step[] }[] = [];
  for (const line of joined.split("\n")) {
    const [, instruction, rest] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
    if (instruction === undefined || rest === undefined) continue;
    if (instruction === "FROM") {
      const [, image = "", name = ""] = /^(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?$/.exec(rest) ?? [];
      stages.push({ name, image, steps: [] });
    } else {
      const words = rest.startsWith("[") ? (JSON.parse(rest) as string[]) : rest.split(/\s+/);
      stages.at(-1)?.steps.push({ instruction, text: rest, words });
    }
  }
  return stages;
}
