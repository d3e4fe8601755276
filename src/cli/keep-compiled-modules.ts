import { enableCompileCache } from "node:module";
import { join } from "node:path";

/**
 * Lets the next command find its modules compiled, so that it starts in half the time; call it
 * before they are imported. They are kept in the user's own folder, because what others can write
 * into must not be run. Where there is none, or it cannot be written, nothing is kept.
 */
export function keepCompiledModules(env: NodeJS.ProcessEnv = process.env): void {
  // Node itself does what this variable says.
  if (env["NODE_COMPILE_CACHE"] !== undefined) return;
  const { HOME: home, XDG_CACHE_HOME: caches = home && join(home, ".cache") } = env;
  if (caches !== undefined && caches !== "") {
    enableCompileCache(join(caches, "thermocline", "compiled"));
  }
}
