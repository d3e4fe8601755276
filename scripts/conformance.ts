// Runs the driver kit of every driver, or of those that are named, against the real servers of
// the tests, and says what each server is and how many tests passed, failed or were skipped, and
// why. Installs servers that are absent. Exit 1 when a driver does not conform.
//   npm run conformance -- [driver…] [--json]
import { parseArgs } from "node:util";
import { loadDrivers } from "#registry.ts";
import { conformanceReport } from "./conformance/conformance-report.ts";
import { formatConformance } from "./conformance/format-conformance.ts";
import { kitFiles } from "./conformance/kit-files.ts";
import { runKits } from "./conformance/run-kits.ts";
import { refuse } from "./script-options.ts";
import { installMissing, storageServices } from "./services/storage-services.ts";

const known = [...(await loadDrivers()).keys()];
const { drivers, json } = readCommandLine();
const services = installMissing(storageServices);
const files = await kitFiles(drivers);
const results = await runKits([...new Set([...files.values()].flat())]);
const report = conformanceReport(drivers, results, services);
process.stdout.write(
  json ? `${JSON.stringify(report, undefined, 2)}\n` : formatConformance(report),
);
process.exitCode = report.conforms ? 0 : 1;

function readCommandLine(): { readonly drivers: readonly string[]; readonly json: boolean } {
  const usage = `conformance [driver…] [--json]\ndrivers: ${known.join(" ")}`;
  try {
    const options = { json: { type: "boolean", default: false } } as const;
    const { values, positionals } = parseArgs({ allowPositionals: true, options });
    const unknown = positionals.find((name) => !known.includes(name));
    if (unknown !== undefined) throw new Error(`there is no driver "${unknown}"`);
    return { drivers: positionals.length === 0 ? known : positionals, json: values.json };
  } catch (error) {
    console.error(`error: ${(error as Error).message}`);
    return refuse(usage);
  }
}
