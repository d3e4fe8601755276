import { defineCommand } from "#cli/command.ts";
import { readVersion } from "#cli/version.ts";

export default defineCommand({
  name: "version",
  summary: "say what version runs here, on what",
  examples: ["thermocline version -o json"],
  setup: (command) => command,
  async run(context) {
    const version = await readVersion();
    const { arch, platform, version: node } = process;
    context.print(`thermocline ${version} (node ${node}, ${platform} ${arch})\n`, {
      version,
      node,
      platform,
      arch,
    });
  },
});
