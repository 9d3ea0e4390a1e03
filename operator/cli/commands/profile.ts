import { profilePage } from "../../profile/html/profile-page.ts";
import { renderProfile } from "../../profile/terminal/profile.ts";
import { withholdSensitive } from "../../profile/withheld.ts";
import type { Command } from "../arguments.ts";
import type { Cluster } from "../cluster.ts";
import { UserError } from "../failure.ts";
import type { Terminal } from "../terminal.ts";
import { writeJson, writePage } from "./page.ts";

type Profile = Extract<Command, { command: "profile" }>;

export async function showProfile(cluster: Cluster, { name, version, output }: Profile, terminal: Terminal) {
  const current = await currentVersion(cluster, name);
  const found = await cluster.version(name, version ?? String(current));
  const subject = { dataset: name, namespace: cluster.namespace, current };
  if (output.kind === "page") return writePage(output.file, profilePage(subject, found), terminal);
  if (output.kind === "json") return writeJson(withholdSensitive(found), terminal);
  terminal.write(renderProfile(subject, found, terminal.screen));
}

/** The number of the Dataset's current version; a Dataset that has none yet is told from one that is not there. */
export async function currentVersion(cluster: Cluster, name: string): Promise<number> {
  const { status } = await cluster.dataset(name);
  const { current } = await cluster.record(name);
  if (current !== undefined) return current;
  const why = status?.conditions?.find(({ type }) => type === "Ready")?.message;
  throw new UserError(`Dataset "${name}" has no version yet${why ? `: ${why}` : ""}`);
}
