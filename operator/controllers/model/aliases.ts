/** Who is champion, and what the manifest pins. */
import type { Model } from "../../api/v1alpha1/model.ts";
import type { ModelRecord, ModelVersion } from "../../store/api.ts";

export interface Aliases {
  /** What holds after this reconcile. */
  wanted: Readonly<Record<string, number>>;
  /** Pins that can't be followed, in words for the user. */
  problem: string | undefined;
}

/** The manifest's pins, and champion: pinned, or the newest version that passed, or as it was. */
export function resolveAliases({ spec }: Model, record: ModelRecord): Aliases {
  const wanted: Record<string, number> = {};
  const problems: string[] = [];
  for (const [alias, number] of Object.entries(spec.aliases ?? {})) {
    const version = record.versions.find(({ version }) => version === number);
    if (version?.decision?.verdict === "Passed") wanted[alias] = number;
    else problems.push(`spec.aliases.${alias}: ${whyNot(number, version, record)}`);
  }
  const before = record.aliases.champion;
  if (wanted.champion === undefined) {
    const free = spec.aliases?.champion === undefined && spec.promotion === "Automatic";
    const newest = record.versions.find(({ decision }) => decision?.verdict === "Passed")?.version;
    const champion = free ? Math.max(newest ?? 0, before ?? 0) : before;
    if (champion) wanted.champion = champion;
  }
  return { wanted, problem: problems.length > 0 ? problems.join("; ") : undefined };
}

function whyNot(number: number, version: ModelVersion | undefined, { versions }: ModelRecord): string {
  if (!version) {
    const newest = versions[0]?.version;
    return `version ${number} does not exist; ${newest ? `the newest is ${newest}` : "there is none yet"}`;
  }
  if (!version.decision) return `version ${number} has not been judged yet`;
  return `version ${number} failed its gates: ${version.decision.message}`;
}
