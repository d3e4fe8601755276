import { parseArgs, type ParseArgsOptionsConfig } from "node:util";

/** The options of a script. On anything else it says what is wrong and how it is used, and ends. */
export function scriptOptions<const Options extends ParseArgsOptionsConfig>(
  usage: string,
  options: Options,
) {
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    console.error(`error: ${(error as Error).message}`);
    return refuse(usage);
  }
}

/** Ends the script as one that was called in a way it does not understand. */
export function refuse(usage: string): never {
  console.error(`usage: ${usage}`);
  process.exit(64);
}
