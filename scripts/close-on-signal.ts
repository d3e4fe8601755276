/** Whoever ends a script early leaves no servers behind. */
export function closeOnSignal(servers: AsyncDisposable): void {
  for (const [signal, number] of [
    ["SIGINT", 2],
    ["SIGTERM", 15],
  ] as const) {
    process.once(
      signal,
      () => void servers[Symbol.asyncDispose]().then(() => process.exit(128 + number)),
    );
  }
}
