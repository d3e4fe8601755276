import { defineCommand } from "#cli/command.ts";
import { textTable } from "#cli/output/text-table.ts";

export default defineCommand({
  name: "config-view",
  words: ["config", "view"],
  summary: "show the configuration that holds here; secrets stay references",
  examples: ["thermocline config view --origin"],
  setup: (command) => command.option("--origin", "show where each value came from"),
  async run(context, _args, options) {
    const config = await context.config();
    const { settings, file } = config;
    const backends = config.backends.map(({ name, driver, tier, region, capacityBytes }) => ({
      name,
      driver,
      tier,
      region,
      capacityBytes,
    }));
    const columns = [{ title: "setting" }, { title: "value" }, { title: "origin" }];
    context.print(
      () => {
        const rows = settings.map(({ path, value, origin }) => [
          path,
          typeof value === "string" ? value : JSON.stringify(value),
          ...(options.origin === true ? [origin] : []),
        ]);
        const names = backends.map(({ name, driver, tier }) => `${name} (${driver}, ${tier})`);
        const table = textTable(options.origin === true ? columns : columns.slice(0, 2), rows);
        return `file: ${file ?? "none"}\nbackends: ${names.join(", ") || "none"}\n\n${table}`;
      },
      { file: file ?? null, settings, backends },
    );
  },
});
