import { chmodSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { removeWithUs } from "../scripts/services/end-with-us.ts";

/**
 * Each file of tests has a temporary folder of its own. When its process is gone, at its end or
 * because somebody interrupted the run, so is the folder, and whatever its tests started.
 */
const folder = mkdtempSync(join(tmpdir(), "thermocline-tests-"));
// Some servers run as users of their own when we are root.
chmodSync(folder, 0o755);
process.env["TMPDIR"] = folder;
process.env["TEST_FOLDER"] = folder;
removeWithUs(folder, "TEST_FOLDER");
