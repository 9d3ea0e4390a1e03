/** An admission webhook that rewrites what is applied, as a real API server answers it. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { deployments } from "../../../operator/kube/resources.ts";
import type { KubeObject, Resource } from "../../../operator/kube/types.ts";
import { Answers } from "../../../operator/runtime/answers.ts";
import { type Executor, execute } from "../../../operator/runtime/execute.ts";
import { noWait } from "../../builders/loop.ts";
import { makeCertificate } from "../../servers/certificate.ts";
import { startWeb, type WebServer } from "../../servers/web.ts";
import { namespace, startWorld, thing, things, type World } from "./world.ts";

const webhooks: Resource = {
  ...{ group: "admissionregistration.k8s.io", version: "v1", namespaced: false },
  ...{ kind: "MutatingWebhookConfiguration", plural: "mutatingwebhookconfigurations" },
};
type Deployment = KubeObject & { spec: { template: { spec: { containers: { image: string }[] } } } };

let world: World;
let webhook: WebServer;
let folder: string;
/** What the webhook changes, as a JSON patch. */
let patch: () => object[];

beforeAll(async () => {
  world = await startWorld();
  folder = await mkdtemp(join(tmpdir(), "lemnis-webhook-"));
  const certificate = await makeCertificate(folder);
  webhook = await startWeb(certificate);
  webhook.answer = async (request, response) => {
    const { request: asked } = (await json(request)) as { request: { uid: string } };
    const changes = { patchType: "JSONPatch", patch: Buffer.from(JSON.stringify(patch())).toString("base64") };
    const answer = { uid: asked.uid, allowed: true, ...changes };
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", response: answer }));
  };
  await world.client.create(webhooks, {
    ...{ apiVersion: "admissionregistration.k8s.io/v1", kind: "MutatingWebhookConfiguration" },
    ...{ metadata: { name: "mirror" } },
    webhooks: [
      {
        ...{ name: "mirror.example.com", sideEffects: "None", admissionReviewVersions: ["v1"] },
        clientConfig: { url: `${webhook.url}/`, caBundle: Buffer.from(certificate.ca).toString("base64") },
        rules: [
          { apiGroups: ["apps"], apiVersions: ["v1"], resources: ["deployments"], operations: ["CREATE", "UPDATE"] },
        ],
      },
    ],
  } as KubeObject);
});
afterAll(async () => {
  webhook.stop();
  await world.stop();
  await rm(folder, { recursive: true });
});

const read = (name: string) => world.client.get<Deployment>(deployments, namespace, name).catch(() => undefined);
const imageOf = (object: Deployment | undefined) => object?.spec.template.spec.containers[0]?.image;
const mirrored = { op: "replace", path: "/spec/template/spec/containers/0/image", value: "mirror/serve:1" };

function deployment(name: string, image = "serve:1"): KubeObject {
  const owner = { apiVersion: "example.com/v1", kind: "Thing", name, uid: "1", controller: true };
  const template = { metadata: { labels: { app: name } }, spec: { containers: [{ name: "runtime", image }] } };
  return {
    ...{ apiVersion: "apps/v1", kind: "Deployment", metadata: { name, namespace, ownerReferences: [owner] } },
    spec: { replicas: 1, selector: { matchLabels: { app: name } }, template },
  } as KubeObject;
}

const writes = () => ["create", "patch", "apply"].reduce((sum, verb) => sum + (world.calls[verb] ?? 0), 0);

/** Carries out the same plan so many times, each with what the server has then; returns how many writes came of it, and the last echoes. */
async function carryOut(name: string, times: number) {
  const before = writes();
  let echoes = -1;
  for (let pass = 0; pass < times; pass++) {
    const there = await read(name);
    const plan = { delete: [], status: {}, events: [], outcome: { kind: "settled" as const } };
    const children = { ...plan, apply: [{ resource: deployments, object: deployment(name) }] };
    const executed = await execute(
      { ...executor, observed: () => there },
      { object: thing(name), resource: things },
      children,
    );
    echoes = executed.echoes.length;
  }
  return { sent: writes() - before, echoes };
}
let executor: Omit<Executor, "observed">;
beforeAll(() => {
  const unused = { events: undefined as never, record: async () => {}, isFresh: () => true };
  executor = { ...unused, client: world.client, turn: noWait, answers: new Answers() };
});

test("a field that is always rewritten is applied once more, which changes nothing and is not waited for", async () => {
  patch = () => [mirrored];
  await vi.waitFor(
    async () => {
      await world.client.apply(deployments, deployment("probe"));
      expect(imageOf(await read("probe"))).toBe("mirror/serve:1");
    },
    { timeout: 20_000 },
  );
  expect(await carryOut("kept", 5)).toEqual({ sent: 2, echoes: 0 });
  expect(imageOf(await read("kept"))).toBe("mirror/serve:1");
  patch = () => [];
  await world.client.apply(deployments, deployment("kept", "theirs"), { manager: "kubectl" });
  expect(await carryOut("kept", 5)).toEqual({ sent: 1, echoes: 0 });
  expect(imageOf(await read("kept"))).toBe("serve:1");
});

test("so is one whose every write is stamped, which is always another version", async () => {
  let count = 0;
  const stamp = () => ({ op: "add", path: "/metadata/annotations/stamp", value: String(count++) });
  patch = () => [mirrored, stamp()];
  expect(await carryOut("stamped", 5)).toEqual({ sent: 2, echoes: 0 });
});
