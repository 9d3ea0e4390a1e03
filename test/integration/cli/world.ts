/** A real API server with the chart's rights, a real store behind its proxy, and users with kubeconfigs of their own. */
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { Registry } from "prom-client";
import { buildCrd } from "../../../operator/api/crd.ts";
import { datasetKind } from "../../../operator/api/v1alpha1/dataset.ts";
import type { DatasetVersionDetail } from "../../../operator/store/api.ts";
import { manifestDigest } from "../../../operator/store/api.ts";
import { startStore } from "../../../operator/store/server.ts";
import { audience, createReview } from "../../../operator/store/token-review.ts";
import { fileOf } from "../../builders/store.ts";
import { render } from "../../chart/chart.ts";
import { CommandError, run } from "../../cluster/command.ts";
import { startControlPlane } from "../../cluster/control-plane.ts";
import { writeKubeconfig } from "../../cluster/kubernetes/kubeconfig.ts";
import { binary } from "../../cluster/tools.ts";

const plugin = join(import.meta.dirname, "../../../operator/cli/kubectl-lemnis.mjs");

export interface Answer {
  code: number | string;
  out: string;
  err: string;
}
export type World = Awaited<ReturnType<typeof startWorld>>;

export async function startWorld() {
  const plane = await startControlPlane({ controllerManager: true });
  const program = await binary("kubectl");
  const kubectl = (args: readonly string[], input?: string) =>
    run(program, ["--kubeconfig", plane.kubeconfig, ...args], input === undefined ? {} : { input });
  const apply = (...items: object[]) =>
    kubectl(["apply", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items }));
  await apply(...["lemnis-system", "team-a", "team-b"].map(namespace), buildCrd(datasetKind));
  const rights = (await render()).filter(
    ({ kind, metadata }) => /Role/.test(kind) && /view|edit|reader/.test(metadata.name),
  );
  await apply(...rights, bind("alice", "edit", "team-a"), bind("bob", "view", "team-a"), bind("eve", "edit", "team-b"));

  const tokenFile = join(plane.dir, "store-token");
  await writeFile(tokenFile, plane.token);
  const store = await startStore({
    ...{ dataDir: join(plane.dir, "store"), host: ownAddress(), port: 0, operatorIdentity: "lemnis-system/lemnis" },
    ...{ logger: pino({ level: "silent" }), registry: new Registry() },
    review: await createReview({ server: plane.url, caFile: plane.caFile, tokenFile }),
  });
  const address = new URL(store.url);
  await apply(...storeService(address));
  const podStatus = JSON.stringify({ status: { podIP: address.hostname, podIPs: [{ ip: address.hostname }] } });
  await kubectl(["-n", "lemnis-system", "patch", "pod", "lemnis-store", "--subresource=status", "-p", podStatus]);

  const path = join(plane.dir, "path");
  await mkdir(path);
  await symlink(plugin, join(path, "kubectl-lemnis"));
  const tokenOf = (namespace: string) =>
    kubectl(["-n", namespace, "create", "token", "default", `--audience=${audience}`]).then((token) => token.trim());

  return {
    ...{ plane, kubectl, apply, store, tokenOf },
    /** `kubectl lemnis …` as this user, with the plugin found on PATH as kubectl finds any. */
    async lemnis(user: string, ...args: string[]): Promise<Answer> {
      const kubeconfig = join(plane.dir, `${user}.kubeconfig`);
      const config = structuredClone(plane.kubeconfigObject);
      const users = config.users.map((entry) => ({ ...entry, user: { ...entry.user, as: user } }));
      const contexts = config.contexts.map((entry) => ({
        ...entry,
        context: { ...entry.context, namespace: "team-a" },
      }));
      writeKubeconfig(kubeconfig, { ...config, users, contexts });
      const env = { ...process.env, KUBECONFIG: kubeconfig, PATH: `${path}:${process.env.PATH}`, NO_COLOR: "1" };
      let err = "";
      const onLine = (line: string) => {
        err += `${line}\n`;
      };
      try {
        return { code: 0, out: await run(program, ["lemnis", ...args], { env, onLine }), err };
      } catch (error) {
        if (!(error instanceof CommandError)) throw error;
        return { code: error.code, out: "", err: error.output };
      }
    },
    /** Registers a version as a snapshot's pod does. */
    async register(namespace: string, name: string, detail: DatasetVersionDetail): Promise<void> {
      const { version, createdAt: _, ...rest } = detail;
      const content = `content of ${namespace}/${name} ${version}`;
      const files = [fileOf(content)];
      const authorization = `Bearer ${await tokenOf(namespace)}`;
      const send = async (method: string, path: string, type: string, body: string) => {
        const url = `${store.url}/v1/namespaces/${namespace}/${path}`;
        const answer = await fetch(url, { method, headers: { authorization, "content-type": type }, body });
        if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
      };
      await send("PUT", `artifacts/${files[0]?.digest}`, "application/octet-stream", content);
      const input = { ...rest, files, digest: manifestDigest(files), retain: 10 };
      await send("POST", `datasets/${name}/versions`, "application/json", JSON.stringify(input));
    },
    async stop() {
      await store.close();
      await plane.stop();
    },
  };
}

function namespace(name: string): object {
  return { apiVersion: "v1", kind: "Namespace", metadata: { name } };
}

function bind(user: string, role: string, namespace: string): object {
  const group = "rbac.authorization.k8s.io";
  return {
    ...{ apiVersion: `${group}/v1`, kind: "RoleBinding", metadata: { name: user, namespace } },
    roleRef: { apiGroup: group, kind: "ClusterRole", name: `lemnis-${role}` },
    subjects: [{ apiGroup: group, kind: "User", name: user }],
  };
}

/** The API server's proxy goes to no loopback address. */
function ownAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const own = addresses.find(({ family, internal }) => family === "IPv4" && !internal);
  if (!own) throw new Error("this machine has no address but loopback: the API server's proxy can't be tested");
  return own.address;
}

function storeService({ hostname, port }: URL): object[] {
  const metadata = { name: "lemnis-store", namespace: "lemnis-system" };
  return [
    {
      apiVersion: "v1",
      kind: "Service",
      metadata,
      spec: { ports: [{ name: "http", port: 8080, targetPort: Number(port) }] },
    },
    { apiVersion: "v1", kind: "Pod", metadata, spec: { containers: [{ name: "store", image: "store" }] } },
    // The proxy goes by Endpoints, not by EndpointSlices, and only to addresses that a pod has.
    {
      ...{ apiVersion: "v1", kind: "Endpoints", metadata },
      subsets: [
        {
          addresses: [{ ip: hostname, targetRef: { kind: "Pod", ...metadata } }],
          ports: [{ name: "http", port: Number(port) }],
        },
      ],
    },
  ];
}
