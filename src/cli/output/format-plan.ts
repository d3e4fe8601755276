import { termsText } from "#model/approval.ts";
import type { BlockReason, Cost, SavedPlan } from "#model/plan.ts";
import { budgetWords } from "#model/budget.ts";
import { breakEvenWords } from "#model/break-even.ts";
import { formatMoney } from "#model/money.ts";
import { formatSize } from "#model/quantity.ts";
import { costChange, costWords } from "#cli/output/cost-words.ts";
import { textTable } from "#cli/output/text-table.ts";
import { counted, count } from "#cli/output/words.ts";

/** A plan for people: what would change, guards, what is blocked and why, and its CID. */
export function formatPlan(plan: SavedPlan): string {
  const { totals, guards, blocked, approvals = [] } = plan.header;
  const lines: string[] = [];
  if (totals.actions === 0) {
    const satisfied = "nothing to do: every object is where the policies want it";
    lines.push(blocked.length === 0 ? satisfied : "nothing can be done now");
  } else {
    lines.push(groupTable(plan).trimEnd(), "", totalLine(plan));
    if (plan.cost !== undefined) lines.push(`cost: ${costWords(plan.cost)}`);
  }
  const budgets = totals.actions + blocked.length === 0 ? [] : (plan.cost?.budgets ?? []);
  for (const budget of budgets) {
    lines.push(`budget of ${budget.of}: ${budgetWords(budget)} before this plan`);
  }
  const wrong = guards.filter((guard) => !guard.passed);
  for (const { guard, message, override } of wrong) {
    lines.push(`refused by guard ${guard}: ${message}`);
    if (override !== undefined) lines.push(`  to do it all the same: --override ${override}`);
  }
  if (wrong.length === 0 && totals.actions > 0) lines.push("guards: all passed");
  for (const terms of approvals) lines.push(`needs approval: ${termsText([terms])}`);
  if (blocked.length > 0) lines.push("", "not possible now:", blockedTable(plan).trimEnd());
  lines.push("", `plan ${plan.cid}`, `evaluated at ${plan.evaluatedAt}`);
  const { snapshot } = plan.header;
  if (snapshot !== undefined) {
    lines.push(`on snapshot ${snapshot}: it is applied only if it is what is due now as well`);
  }
  return `${lines.join("\n")}\n`;
}

function groupTable(plan: SavedPlan): string {
  return textTable(
    [
      { title: "action" },
      { title: "rule" },
      { title: "from → to" },
      { title: "objects", right: true },
      { title: "bytes", right: true },
      ...(plan.cost === undefined
        ? []
        : [
            { title: "cost now", right: true },
            { title: "per month", right: true },
          ]),
    ],
    plan.header.totals.groups.map((group, at) => [
      group.verb,
      group.rule,
      route(group.source, group.target, group.victim),
      count(group.actions),
      formatSize(group.bytes),
      ...costCells(plan.cost?.groups[at]),
    ]),
  );
}

function costCells(cost: Cost | undefined): readonly string[] {
  return cost === undefined ? [] : [formatMoney(cost.now), costChange(cost.month)];
}

/** `hot → cold`, and which copy goes when that is another one. */
function route(source: string | null, target: string | null, victim: string | null): string {
  if (target === null && victim === null) return source === null ? "" : `on ${source}`;
  if (target === null) return `${victim} → nothing`;
  const copy = `${source ?? "?"} → ${target}`;
  return victim === null || victim === source ? copy : `${copy}, then remove from ${victim}`;
}

function totalLine({ header: { totals } }: SavedPlan): string {
  const parts = [
    `${counted(totals.actions, "action")} on ${counted(totals.objects, "object")}`,
    `${formatSize(totals.bytesMoved)} to copy`,
    `${formatSize(totals.bytesFreed)} to free`,
  ];
  return `total: ${parts.join(", ")}`;
}

function blockedTable(plan: SavedPlan): string {
  return textTable(
    [
      { title: "rule" },
      { title: "objects", right: true },
      { title: "bytes", right: true },
      { title: "because" },
    ],
    plan.header.blocked.map(({ rule, reason, objects, bytes, limit }) => [
      rule,
      count(objects),
      formatSize(bytes),
      `${reason}: ${limit === undefined ? reasonWords(plan, rule, reason) : limitWords(reason, limit)}`,
    ]),
  );
}

function reasonWords({ cost }: SavedPlan, rule: string, reason: BlockReason): string {
  const loss = cost?.refused?.find((refused) => refused.rule === rule);
  return reason === "break-even" && loss !== undefined ? breakEvenWords(loss) : reasons[reason];
}

/** The limit that cut them off: `policy cool-down: 100 objects`; of a budget also how it stands. */
function limitWords(reason: BlockReason, limit: string): string {
  return reason === "budget"
    ? `${limit} before this plan; a later one goes on`
    : `${limit} at most; the next plan goes on`;
}

const reasons: Readonly<Record<BlockReason, string>> = {
  held: "a hold protects them",
  "minimum-copies": "too few verified copies would remain",
  ensure: "another rule needs the copy",
  capacity: "the target has no room",
  cordon: "the backend is cordoned",
  "no-target": "no backend fits",
  "no-source": "no healthy copy to read from",
  "not-supported": "the backend's driver cannot do it",
  unverified: "copies must be verified first: run thermocline verify",
  quarantined: "they failed too often for one cause: see thermocline quarantine ls",
  locked: "the backend itself locks them: see thermocline objects show",
  limit: "the rule's limit is reached; the next plan goes on",
  budget: "what the budget has left is not enough",
  group: "others of their collection cannot, and they go together",
  "break-even": "it would cost more than it saves within the policy's horizon",
  grace: "the grace period is not over",
};
