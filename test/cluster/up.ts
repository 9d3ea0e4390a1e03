import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildImage } from "./images/build.ts";
import { loadImage } from "./images/load.ts";
import { type ClusterTool, clusterTools, components } from "./kubernetes/components.ts";
import { acceptsPods, dnsAnswers, kubeletKnowsPods, nodeReadiness } from "./kubernetes/health.ts";
import { buildKubeconfig, writeKubeconfig } from "./kubernetes/kubeconfig.ts";
import { applyObjects } from "./kubernetes/kubectl.ts";
import { pauseImage } from "./kubernetes/node-config.ts";
import { ensurePki, type Identity, type Pki } from "./kubernetes/pki.ts";
import { runTogether } from "./kubernetes/supervise.ts";
import { ensureVolumes } from "./kubernetes/volumes.ts";
import {
  apiServerUrl,
  apiServiceAddress,
  clusterLock,
  kubeconfigPath,
  nodeAddress,
  pkiDir,
  stateDir,
} from "./layout.ts";
import { ensurePrograms, nodePrograms, requireRoot } from "./os/host.ts";
import { withLock } from "./os/lock.ts";
import { ensureNetwork } from "./os/network.ts";
import { type Log, type LogOptions, silent, waitUntil, withProgress } from "./progress.ts";
import { binary } from "./tools.ts";

/** Makes the local cluster, or mends it: what runs and answers stays untouched. Returns when the node is Ready and DNS answers. */
export async function up({ log = silent }: LogOptions = {}): Promise<void> {
  requireRoot();
  await withLock(
    clusterLock,
    () => upLocked(log),
    () => log("waiting for another up or down to finish"),
  );
}

async function upLocked(log: Log): Promise<void> {
  await ensurePrograms(nodePrograms, log);
  const binaries = await ensureBinaries(log);
  mkdirSync(stateDir, { recursive: true, mode: 0o711 });
  await ensureNetwork();
  const pki = await ensurePki(pkiDir, [apiServiceAddress, nodeAddress]);
  ensureKubeconfig("admin", pki);
  const processes = components({ pki, binaries, kubeconfig: (identity) => ensureKubeconfig(identity, pki) });
  await runTogether(processes.store, log);
  await runTogether(processes.api, log);
  await runTogether(processes.runtime, log);
  await loadPause(binaries.pause, log);
  await applyObjects(dnsRole());
  const before = Date.now();
  const started = await runTogether(processes.node, log);
  await ensureVolumes();
  await waitForNode(pki, started.includes("kubelet") ? before : 0, log);
  await waitForDns(log);
}

async function ensureBinaries(log: Log): Promise<Record<ClusterTool, string>> {
  const found: [string, string][] = [];
  for (const name of clusterTools) found.push([name, await binary(name, { log })]);
  return Object.fromEntries(found) as Record<ClusterTool, string>;
}

function ensureKubeconfig(identity: Identity, pki: Pki): string {
  const path = identity === "admin" ? kubeconfigPath : join(stateDir, `${identity}.kubeconfig`);
  writeKubeconfig(path, buildKubeconfig({ server: apiServerUrl, caFile: pki.caFile, token: pki.tokens[identity] }));
  return path;
}

/** Every pod needs the pause image, so it must be there before the kubelet starts the first. */
async function loadPause(program: string, log: Log): Promise<void> {
  const context = mkdtempSync(join(tmpdir(), "lemnis-pause-"));
  try {
    copyFileSync(program, join(context, "pause"));
    const dockerfile = fileURLToPath(new URL("images/bases/pause/Dockerfile", import.meta.url));
    await loadImage(await buildImage({ tag: pauseImage, dockerfile, context, log }), { log });
  } finally {
    rmSync(context, { recursive: true, force: true });
  }
}

/** What CoreDNS may read: it runs outside the cluster, with an identity of its own. */
function dnsRole(): object[] {
  const metadata = { name: "lemnis-local:coredns" };
  const rbac = "rbac.authorization.k8s.io";
  const verbs = ["list", "watch"];
  return [
    {
      apiVersion: `${rbac}/v1`,
      kind: "ClusterRole",
      metadata,
      rules: [
        { apiGroups: [""], resources: ["services", "namespaces", "pods"], verbs },
        { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs },
      ],
    },
    {
      apiVersion: `${rbac}/v1`,
      kind: "ClusterRoleBinding",
      metadata,
      roleRef: { apiGroup: rbac, kind: "ClusterRole", name: metadata.name },
      subjects: [{ apiGroup: rbac, kind: "User", name: metadata.name }],
    },
  ];
}

async function waitForNode(pki: Pki, since: number, log: Log): Promise<void> {
  const token = pki.tokens.admin;
  let message = "";
  const isReady = async () => {
    const node = await nodeReadiness(token, since);
    message = node.message;
    return node.ready && (await acceptsPods(apiServerUrl, token)) && (await kubeletKnowsPods(token));
  };
  const failure = () => new Error(`the node is not Ready after 120 s: ${message}. See kubelet.log and containerd.log.`);
  await withProgress(log, "waiting for the node to be Ready", () =>
    waitUntil(isReady, { timeoutMs: 120_000, failure }),
  );
}

async function waitForDns(log: Log): Promise<void> {
  const failure = () => new Error("cluster DNS does not answer after 60 s. See coredns.log.");
  await withProgress(log, "waiting for cluster DNS", () => waitUntil(dnsAnswers, { timeoutMs: 60_000, failure }));
}
