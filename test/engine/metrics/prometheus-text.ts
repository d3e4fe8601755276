/** A sample of the Prometheus text format. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Reads the text format (version 0.0.4) strictly: any line that does not belong throws. */
export function readPrometheusText(text: string): {
  readonly types: ReadonlyMap<string, string>;
  readonly samples: readonly Sample[];
} {
  if (!text.endsWith("\n")) throw new Error("the text does not end with a line feed");
  const types = new Map<string, string>();
  const samples: Sample[] = [];
  let family = "";
  for (const line of text.slice(0, -1).split("\n")) {
    const help = /^# HELP (\w+) \S/.exec(line);
    const type = /^# TYPE (\w+) (counter|gauge|histogram)$/.exec(line);
    if (help !== null) {
      family = help[1] ?? "";
      if (types.has(family)) throw new Error(`${family} is described twice`);
    } else if (type !== null) {
      if (type[1] !== family) throw new Error(`type without help: ${line}`);
      types.set(family, type[2] ?? "");
    } else {
      const sample = readSample(line);
      const suffix = types.get(family) === "histogram" ? /_(bucket|sum|count)$/ : /$^/;
      if (sample.name.replace(suffix, "") !== family) throw new Error(`stray sample: ${line}`);
      samples.push(sample);
    }
  }
  return { types, samples };
}

function readSample(line: string): Sample {
  const label = String.raw`\w+="(?:[^"\\]|\\.)*"`;
  const match = new RegExp(String.raw`^(\w+)(?:\{(${label}(?:,${label})*)\})? (-?[\d.e+-]+)$`).exec(
    line,
  );
  if (match === null) throw new Error(`not a sample: ${line}`);
  const labels = [...(match[2] ?? "").matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)];
  return {
    name: match[1] ?? "",
    labels: Object.fromEntries(labels.map(([, key = "", value = ""]) => [key, value])),
    value: Number(match[3]),
  };
}
