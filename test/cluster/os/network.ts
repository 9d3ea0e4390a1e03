import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run, tryRun } from "../command.ts";
import { nodeAddress, nodeBridge, podBridge, podRange, serviceRange, stateDir } from "../layout.ts";

const chainsBefore = join(stateDir, "iptables-before.json");
const families = ["iptables", "ip6tables"] as const;

/**
 * Pods must reach each other and the node on machines whose firewall drops by default, as Docker and ufw make them. What is
 * still for a Service's address when it leaves has met kube-proxy between two of its updates: it must not go out into the world.
 */
const rules = [
  ["FORWARD", "-s", podRange, "-j", "ACCEPT"],
  ["FORWARD", "-d", podRange, "-j", "ACCEPT"],
  ["INPUT", "-s", podRange, "-d", `${nodeAddress}/32`, "-j", "ACCEPT"],
  ["FORWARD", "-d", serviceRange, "-j", "REJECT"],
  ["OUTPUT", "-d", serviceRange, "-j", "REJECT"],
] as const;

/** Makes the node's bridge, kernel settings and firewall rules, or what of them is missing. */
export async function ensureNetwork(): Promise<void> {
  if (!existsSync(chainsBefore)) writeFileSync(chainsBefore, JSON.stringify(await ownableChains()));
  if (!existsSync(`/sys/class/net/${nodeBridge}`)) await run("ip", ["link", "add", nodeBridge, "type", "bridge"]);
  await run("ip", ["address", "replace", `${nodeAddress}/32`, "dev", nodeBridge]);
  await run("ip", ["link", "set", nodeBridge, "up"]);
  await tryRun("modprobe", ["-a", "br_netfilter", "overlay"]); // often built in
  setSysctl("net/ipv4/ip_forward");
  setSysctl("net/bridge/bridge-nf-call-iptables");
  for (const rule of rules) {
    const missing = (await tryRun("iptables", ["--wait", "-C", ...rule])) === undefined;
    if (missing) await run("iptables", ["--wait", "-I", ...rule]);
  }
}

function setSysctl(name: string): void {
  const path = `/proc/sys/${name}`;
  if (!existsSync(path)) {
    throw new Error(
      `this kernel has no ${name.replaceAll("/", ".")}: load its module (modprobe br_netfilter) and try again`,
    );
  }
  if (readFileSync(path, "utf8").trim() !== "1") writeFileSync(path, "1");
}

/** Undoes ensureNetwork, and what kube-proxy, the kubelet and the CNI plugins added to the firewall meanwhile. */
export async function removeNetwork(): Promise<void> {
  for (const rule of rules) await tryRun("iptables", ["--wait", "-D", ...rule]);
  const kept: Record<string, string[]> = existsSync(chainsBefore) ? JSON.parse(readFileSync(chainsBefore, "utf8")) : {};
  for (const family of families) {
    const script = cleanupScript((await tryRun(`${family}-save`, [])) ?? "", kept[family] ?? []);
    if (script) await run(`${family}-restore`, ["--noflush", "--wait"], { input: script });
  }
  for (const bridge of [podBridge, nodeBridge]) await tryRun("ip", ["link", "delete", bridge]);
}

async function ownableChains(): Promise<Record<string, string[]>> {
  const found: Record<string, string[]> = {};
  for (const family of families) found[family] = chainsOf((await tryRun(`${family}-save`, [])) ?? "");
  return found;
}

/** Chains of Kubernetes and CNI plugins in the output of iptables-save, as `table/chain`. */
export function chainsOf(saved: string): string[] {
  let table = "";
  return saved.split("\n").flatMap((line) => {
    if (line.startsWith("*")) table = line.slice(1);
    const chain = /^:((?:KUBE|CNI)-\S+)/.exec(line)?.[1];
    return chain ? [`${table}/${chain}`] : [];
  });
}

/**
 * Input for iptables-restore --noflush that deletes the chains of Kubernetes and CNI plugins in `saved` (the output of
 * iptables-save), with the rules that jump to them. Chains in `kept` were there before the cluster and stay. Empty when there is
 * nothing to delete.
 */
export function cleanupScript(saved: string, kept: readonly string[]): string {
  const doomed = chainsOf(saved).filter((chain) => !kept.includes(chain));
  const tables = [...new Set(doomed.map((chain) => chain.split("/")[0]))];
  return tables.map((table) => tableCleanup(`${table}`, saved, doomed)).join("");
}

function tableCleanup(table: string, saved: string, doomed: readonly string[]): string {
  const chains = doomed.filter((chain) => chain.startsWith(`${table}/`)).map((chain) => chain.slice(table.length + 1));
  const section = saved.split(/^\*/m).find((text) => text.startsWith(`${table}\n`)) ?? "";
  const jumps = section.split("\n").filter((line) => {
    const [, from, target] = /^-A (\S+) .*-[jg] (\S+)/.exec(line) ?? [];
    return from !== undefined && target !== undefined && !chains.includes(from) && chains.includes(target);
  });
  const lines = [
    `*${table}`,
    ...jumps.map((line) => line.replace("-A", "-D")),
    ...chains.map((chain) => `-F ${chain}`),
    ...chains.map((chain) => `-X ${chain}`),
    "COMMIT",
  ];
  return `${lines.join("\n")}\n`;
}
