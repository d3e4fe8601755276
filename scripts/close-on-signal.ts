/**
 * Whoever ends a script early leaves no servers behind: not while they are being started, not when a
 * signal comes twice (to a whole group of processes, and once more from who started us), and not
 * because the work under way fails when its servers stop.
 */
export function closeOnSignal(opening: AsyncDisposable | Promise<AsyncDisposable>): void {
  let closing: Promise<void> | undefined;
  for (const [signal, number] of [
    ["SIGHUP", 1],
    ["SIGINT", 2],
    ["SIGTERM", 15],
  ] as const) {
    process.on(signal, () => {
      closing ??= closeAndExit(opening, 128 + number);
    });
  }
}

async function closeAndExit(
  opening: AsyncDisposable | Promise<AsyncDisposable>,
  code: number,
): Promise<void> {
  // Without a listener it would end the process while its servers still run.
  process.on("uncaughtException", () => undefined);
  try {
    const opened = await opening;
    await opened[Symbol.asyncDispose]();
  } catch (error) {
    console.error(error);
  }
  process.exit(code);
}
