import { compareVersions } from "../../profile/compare.ts";
import { diffPage } from "../../profile/html/diff-page.ts";
import { renderDiff } from "../../profile/terminal/diff.ts";
import type { DatasetVersionDetail } from "../../store/api.ts";
import type { Command } from "../arguments.ts";
import type { Cluster } from "../cluster.ts";
import type { Terminal } from "../terminal.ts";
import { writeJson, writePage } from "./page.ts";
import { currentVersion } from "./profile.ts";

type Diff = Extract<Command, { command: "diff" }>;

export async function showDiff(cluster: Cluster, { name, before, after, output }: Diff, terminal: Terminal) {
  const current = await currentVersion(cluster, name);
  const versions = [before, after ?? String(current)];
  const [old, now] = await Promise.all(versions.map((version) => cluster.version(name, version)));
  if (!old || !now) return;
  const comparison = compareVersions(old, now);
  const subject = { dataset: name, namespace: cluster.namespace, current };
  if (output.kind === "page") return writePage(output.file, diffPage(subject, comparison), terminal);
  if (output.kind === "text") return terminal.write(renderDiff(subject, comparison, terminal.screen));
  writeJson({ ...comparison, before: summary(old), after: summary(now) }, terminal);
}

const summary = ({ version, digest, rows, bytes, createdAt }: DatasetVersionDetail) => ({
  ...{ version, digest, rows, bytes, createdAt },
});
