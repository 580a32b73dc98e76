import { totalRows } from "../backup/database-facts.ts";
import { databaseMembers, dataTime } from "../backup/manifest.ts";
import type { View } from "../core/ports/output.ts";
import { ageText } from "../core/time.ts";
import type { FailoverFacts, FailoverRequest } from "./failover-facts.ts";

export interface FailoverPlan {
  readonly schema: "summitctl.failover-plan.v1";
  readonly from: string;
  readonly to: string;
  readonly backup: string;
  readonly dataFrom: string;
  readonly dataAgeSeconds: number;
  readonly databases: readonly { readonly name: string; readonly rows: number }[];
  readonly topology: readonly { readonly unit: string; readonly before: string; readonly after: string }[];
  readonly steps: readonly string[];
  /** Why it must not run. Empty: it may. */
  readonly blockers: readonly { readonly message: string; readonly hint: string }[];
  /** What the operator should know before agreeing. */
  readonly warnings: readonly string[];
  readonly resumes: boolean;
  readonly plannedAt: string;
}

/** What a failover will do. Pure: the same facts make the same plan. */
export function planFailover(facts: FailoverFacts, request: Pick<FailoverRequest, "force" | "reason">): FailoverPlan {
  const { from, to, backup, databases, stack, mark, now } = facts;
  const data = dataTime(backup.manifest);
  const members = databaseMembers(backup.manifest);
  return {
    schema: "summitctl.failover-plan.v1",
    from,
    to,
    backup: backup.manifest.id,
    dataFrom: data.toISOString(),
    dataAgeSeconds: (now.getTime() - data.getTime()) / 1000,
    databases: databases.map((name) => ({
      name,
      rows: totalRows(members.find(({ database }) => database === name)?.rows ?? []),
    })),
    topology: topologyOf(facts),
    steps: [
      `make ${stack.units.length} machines of "${to}" with ${stack.services.map(({ name }) => name).join(", ")}`,
      ...databases.map(
        (name) =>
          `restore database "${name}" from ${backup.manifest.id} and compare every table's rows with the backup`,
      ),
      `start the app, ask "${to}" for its health and a page`,
      ...(facts.oldMachines.some(({ state }) => state === "running")
        ? [`fence "${from}": stop its services, then its machines`]
        : []),
      `commit generation ${facts.live.environment === to ? facts.live.number : facts.live.number + 1} and move the project's address to "${to}"`,
      "ask for a page at the project's address",
      `take a first backup of "${to}"`,
    ],
    blockers: blockersOf(facts, request),
    warnings: warningsOf(facts),
    resumes: mark !== undefined,
    plannedAt: now.toISOString(),
  };
}

function topologyOf({ stack, oldMachines, newMachines, from, to, mark }: FailoverFacts): FailoverPlan["topology"] {
  return stack.units.map(({ name }) => {
    const old = oldMachines.find(({ units }) => units.includes(name));
    const fresh = newMachines.find(({ units }) => units.includes(name));
    return {
      unit: name,
      before:
        old === undefined
          ? `${from}: no machine`
          : `${from}: ${old.state}${old.privateAddress === undefined ? "" : ` ${old.privateAddress}`}`,
      after: `${to}: ${fresh !== undefined && mark === undefined ? `${fresh.state}, from before` : (fresh?.privateAddress ?? "new machine")}`,
    };
  });
}

function blockersOf(
  facts: FailoverFacts,
  { force, reason }: Pick<FailoverRequest, "force" | "reason">,
): FailoverPlan["blockers"] {
  const { from, to, live, breath, newMachines, mark, databases, backup, damage, older, inputProblem } = facts;
  const blockers: { message: string; hint: string }[] = [];
  // Once the traffic is committed there is no way back to choose: what is left is to finish.
  if (breath === "serving" && live.environment !== to && (!force || reason === undefined)) {
    blockers.push({
      message: `"${from}" still serves: a failover would lose what was written since the backup`,
      hint: `summitctl failover --force --reason "why it must go although it answers"`,
    });
  }
  if (newMachines.length > 0 && mark === undefined) {
    blockers.push({
      message: `"${to}" has ${newMachines.length} machines from before: a failover begins with none there`,
      hint: `summitctl destroy -e ${to}`,
    });
  }
  if (inputProblem !== undefined)
    blockers.push({
      message: [inputProblem.message, ...inputProblem.details].join("; "),
      hint: inputProblem.hint ?? "summitctl doctor",
    });
  if (damage !== undefined) {
    const hint = otherBackupHint({ to, begun: mark !== undefined, older: older?.manifest.id });
    blockers.push({ message: damage.message, hint });
  }
  const missing = databases.filter(
    (name) => !databaseMembers(backup.manifest).some(({ database }) => database === name),
  );
  if (missing.length > 0) {
    blockers.push({
      message: `the backup ${backup.manifest.id} lacks ${missing.map((name) => `database "${name}"`).join(", ")}`,
      hint: `summitctl backups show ${backup.manifest.id}`,
    });
  }
  return blockers;
}

/** How to go on with another backup than one that proved bad. A target that was begun holds on to its backup. */
export function otherBackupHint({
  to,
  begun,
  older,
}: {
  to: string;
  begun: boolean;
  older: string | undefined;
}): string {
  if (older === undefined) return "summitctl backups list    # none that counts is older";
  return `${begun ? `summitctl destroy -e ${to} --confirm ${to} && ` : ""}summitctl failover --to ${to} --backup ${older}`;
}

function warningsOf({ from, to, breath, backup, newest, newerBroken, oldMachines }: FailoverFacts): string[] {
  const warnings = newerBroken.map(({ id, problem }) => `${id} is newer and cannot be used: ${problem}`);
  if (breath !== "down")
    warnings.push(
      `"${from}" still breathes: ${breath === "serving" ? "it serves" : `${oldMachines.filter(({ state }) => state === "running").length} of its machines run`}; it is stopped before the address moves`,
    );
  if (newest !== undefined && newest.manifest.id !== backup.manifest.id)
    warnings.push(`${newest.manifest.id} is newer than the backup that was chosen`);
  if (breath === "down")
    warnings.push(
      `this computer sees no running machine of "${from}"; that alone does not prove that nobody else can reach it`,
    );
  warnings.push(`a plan says what is known before; that "${to}" can be built is only known once it is`);
  return warnings;
}

export function planView(plan: FailoverPlan): View {
  const { from, to, backup, dataFrom, databases, topology, steps, blockers, warnings, resumes, plannedAt } = plan;
  const age = ageText(new Date(dataFrom), new Date(plannedAt));
  return [
    { title: `failover from "${from}" to "${to}"${resumes ? ", going on where it was cut" : ""}` },
    { head: ["unit", "before", "after"], rows: topology.map(({ unit, before, after }) => [unit, before, after]) },
    {
      pairs: [
        ["backup", backup],
        ["data from", `${dataFrom} (${age}); what was written since then is lost`],
        ...databases.map(({ name, rows }): [string, string] => [`database ${name}`, `${rows} rows`]),
      ],
    },
    { title: "steps" },
    ...steps.map((step, index) => ({ text: `${index + 1}. ${step}` })),
    ...(warnings.length === 0 ? [] : [{ title: "know" }, ...warnings.map((text) => ({ text: `- ${text}` }))]),
    ...(blockers.length === 0
      ? []
      : [{ title: "what stops it" }, ...blockers.map(({ message }) => ({ text: `- ${message}` }))]),
  ];
}
