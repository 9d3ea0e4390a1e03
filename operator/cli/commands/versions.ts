import { formatBytes, formatNumber, formatTime } from "../../profile/format.ts";
import { type Cell, tableLines } from "../../profile/terminal/table.ts";
import { harmless } from "../../profile/terminal/text.ts";
import type { DatasetRecord, DatasetVersion } from "../../store/api.ts";
import type { Command } from "../arguments.ts";
import type { Cluster } from "../cluster.ts";
import type { Terminal } from "../terminal.ts";
import { writeJson } from "./page.ts";

type Versions = Extract<Command, { command: "versions" }>;

const columns = [
  { title: "VERSION", right: true },
  { title: "CURRENT" },
  { title: "DIGEST" },
  { title: "ROWS", right: true },
  { title: "SIZE", right: true },
  { title: "CREATED" },
  { title: "EXPECTATIONS" },
  { title: "FROM" },
];

export async function showVersions(cluster: Cluster, { name, output }: Versions, terminal: Terminal) {
  await cluster.dataset(name);
  const record = await cluster.record(name);
  if (output.kind === "json") return writeJson(record, terminal);
  if (record.versions.length === 0) return terminal.tell(`Dataset "${name}" has no version yet`);
  terminal.write(`${versionLines(record, terminal).join("\n")}\n`);
}

export function versionLines({ versions, current }: DatasetRecord, { screen }: Pick<Terminal, "screen">): string[] {
  const rows = versions.map((version): Cell[] => [
    { text: String(version.version) },
    { text: version.version === current ? "*" : "", ink: "green" },
    { text: version.digest.slice(0, 19) },
    { text: formatNumber(version.rows) },
    { text: formatBytes(version.bytes) },
    { text: formatTime(version.createdAt) },
    expectations(version),
    { text: (version.parents ?? []).map(({ dataset, version }) => `${harmless(dataset)}@${version}`).join(", ") },
  ]);
  return tableLines(columns, rows, screen);
}

function expectations({ expectations = [] }: DatasetVersion): Cell {
  if (expectations.length === 0) return { text: "" };
  const broken = expectations.filter(({ passed }) => !passed).map(({ name }) => harmless(name));
  if (broken.length === 0) return { text: `${expectations.length} kept`, ink: "green" };
  return { text: `broken: ${broken.join(", ")}`, ink: "red" };
}
