import { EngineError } from "#model/engine-error.ts";
import { formatSize } from "#model/quantity.ts";
import { type CommandContext, defineCommand } from "#cli/command.ts";
import { confirm } from "#cli/confirm.ts";
import { counted } from "#cli/output/words.ts";

interface HoldOptions {
  readonly where?: string | undefined;
  readonly reason: string;
  readonly yes?: true | undefined;
  readonly dryRun?: true | undefined;
}

/** The command that holds objects, or the one that releases them. */
export function holdCommand(
  name: string,
  summary: string,
  held: boolean,
): ReturnType<typeof defineCommand> {
  return defineCommand({
    name,
    summary,
    examples: [
      `thermocline ${name} /datasets/2024/january.csv --reason "case 17"`,
      `thermocline ${name} --where 'collection = "trial"' --reason "case 17"`,
    ],
    setup: (command) =>
      command
        .argument("[object]", "CID, path or object number")
        .option("--where <expression>", "every object that it selects")
        .requiredOption("--reason <text>", "why; it is kept in the ledger")
        .option("-y, --yes", "do not ask")
        .option("-n, --dry-run", "say how many objects match, and change nothing"),
    run: (context, [reference], options) => holdObjects(context, reference, held, options),
  });
}

/** Holds or releases one object, or all that an expression selects once their count was seen. */
async function holdObjects(
  context: CommandContext,
  reference: string | undefined,
  held: boolean,
  { where, reason, yes, dryRun }: HoldOptions,
): Promise<void> {
  if ((reference === undefined) === (where === undefined)) {
    throw new EngineError("USAGE", "name one object, or select objects with --where");
  }
  const { api } = await context.connect();
  const done = held ? "held" : "released";
  if (reference !== undefined) {
    const object = await api.setHold(reference, held, reason);
    return context.print(`${object.path ?? object.cid} is ${done}\n`, { object });
  }
  const request = { where: where ?? "", held, reason };
  const preview = await api.holdObjects({ ...request, dryRun: true });
  const words = `${counted(preview.objects, "object")}, ${formatSize(preview.bytes)}`;
  context.io.stderr.write(`${words} match\n`);
  if (dryRun === true) return context.print("", { ...preview });
  if (yes !== true && !(await confirm(context.io, `${held ? "hold" : "release"} them? `))) {
    throw new EngineError("DECLINED", `nothing was ${done}`);
  }
  const report = await api.holdObjects(request);
  context.print(`${counted(report.changed, "object")} newly ${done}\n`, { ...report });
}
