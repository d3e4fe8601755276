#!/usr/bin/env node
import { keepCompiledModules } from "#cli/keep-compiled-modules.ts";

keepCompiledModules();
const { runProcess } = await import("#cli/run-process.ts");
await runProcess(process.argv.slice(2));
