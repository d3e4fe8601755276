#!/usr/bin/env node
import { processIo } from "#cli/process-io.ts";
import { runCommandLine } from "#cli/run-command-line.ts";
import { startEngines } from "#cli/start-engines.ts";

const io = processIo();
const code = await runCommandLine(process.argv.slice(2), io, startEngines);
await Promise.all([io.stdout.drain(), io.stderr.drain()]);
process.exit(io.signal.reason === "EPIPE" ? 0 : code);
