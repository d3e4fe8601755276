import { EngineError } from "#model/engine-error.ts";

const units: Readonly<Record<string, number>> = {
  s: 1,
  sec: 1,
  second: 1,
  m: 60,
  min: 60,
  minute: 60,
  h: 3_600,
  hour: 3_600,
};

/** `50/s`, `1000/min`, `30/h` → requests per second; `off` → undefined. Throws INVALID_DOCUMENT. */
export function parseRequestRate(text: string): number | undefined {
  if (text.trim().toLowerCase() === "off") return undefined;
  const match = /^\s*(\d+(?:\.\d+)?)\s*\/\s*([a-z]+)\s*$/i.exec(text);
  const name = (match?.[2] ?? "").toLowerCase();
  const seconds = Object.hasOwn(units, name) ? units[name] : undefined;
  const count = Number(match?.[1]);
  if (seconds !== undefined && count > 0) return count / seconds;
  throw new EngineError("INVALID_DOCUMENT", `"${text}" is not a rate of requests`, {
    hint: "write 50/s, 1000/min, 30/h or off; to stop a backend, pause it",
  });
}

/** Requests per second as people write them: `50/s`, `10/min`. */
export function formatRequestRate(perSecond: number | undefined): string {
  if (perSecond === undefined) return "off";
  const [count, unit] =
    perSecond >= 1
      ? [perSecond, "s"]
      : perSecond * 60 >= 1
        ? [perSecond * 60, "min"]
        : [perSecond * 3_600, "h"];
  return `${Number(count.toFixed(2))}/${unit}`;
}
