import { CronExpressionParser } from "cron-parser";

export interface CronProblem {
  readonly message: string;
  /** Missing when it lies with no single field. */
  readonly hint?: string;
}

/** What is wrong with a pattern of five fields: the first field that cannot be by itself. */
export function cronProblem(pattern: string): CronProblem | undefined {
  const problem = parserProblem(pattern);
  if (problem === undefined) return undefined;
  const given = pattern.split(/\s+/);
  const wrong = given.findIndex((text, at) => parserProblem(alone(text, at)) !== undefined);
  const field = fields[wrong];
  if (field === undefined) return { message: problem };
  const message = `"${given[wrong]}" is no ${field.name}`;
  return { message, hint: `a ${field.name} is ${field.values}, or a list, range or step of them` };
}

const fields = [
  { name: "minute", values: "0-59, or *" },
  { name: "hour", values: "0-23, or *" },
  { name: "day", values: "1-31, or *" },
  { name: "month", values: "1-12 or jan-dec, or *" },
  { name: "weekday", values: "0-7 or sun-sat, or *" },
] as const;

function alone(text: string, at: number): string {
  return fields.map((_, field) => (field === at ? text : "*")).join(" ");
}

function parserProblem(pattern: string): string | undefined {
  try {
    CronExpressionParser.parse(pattern);
    return undefined;
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message : String(thrown);
  }
}
