const everyMs = 50;

/** Looks at the memory of this process again and again; `takePeak` says the most since the last. */
export function watchMemory(): Disposable & { takePeak(): number } {
  let peak = process.memoryUsage.rss();
  const look = (): void => void (peak = Math.max(peak, process.memoryUsage.rss()));
  const timer = setInterval(look, everyMs);
  return {
    takePeak: () => {
      look();
      const taken = peak;
      peak = process.memoryUsage.rss();
      return taken;
    },
    [Symbol.dispose]: () => {
      clearInterval(timer);
    },
  };
}
