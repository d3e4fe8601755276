import { EngineError } from "#model/engine-error.ts";

const pattern = /^[a-z0-9][a-z0-9.-]*(?:\/[a-z0-9][a-z0-9.-]*)*$/;
const lengthMax = 512;

/** The name of a file or folder beside the copies: no text can lead out of its place. */
export function checkFileName(name: string): string {
  if (name.length <= lengthMax && pattern.test(name)) return name;
  throw new EngineError("USAGE", `"${name.slice(0, 80)}" cannot be the name of a file there`, {
    hint: "names are lower-case letters, digits, `.` and `-`, with `/` between folders",
  });
}
