/**
 * DuckDB brings an allocator of its own, jemalloc, which reads how it is to behave when it is
 * loaded: whoever loads DuckDB loads this before. What is freed goes back to the system at once,
 * and all threads share one arena. Left to itself it keeps for seconds what was freed, in eight
 * arenas, which counts as memory of this process: some 60 to 100 MiB, and 170 when the work is
 * done. Who has set the variable knows better.
 */
export const allocatorSettings = (process.env["DUCKDB_JE_MALLOC_CONF"] ??=
  "dirty_decay_ms:0,muzzy_decay_ms:0,narenas:1");
