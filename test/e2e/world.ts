/** A namespace of its own in the cluster, and what tests ask about the objects in it. */
import { afterAll, inject } from "vitest";
import type { Condition } from "../../operator/api/v1alpha1/common.ts";
import type { KubeObject } from "../../operator/kube/types.ts";
import { kubeconfigPath } from "../cluster/layout.ts";
import { silent } from "../cluster/progress.ts";
import { freshNamespace, type Images, makeNamespace } from "../demo/install.ts";
import { kubectl, listObjects, localTarget, type Target } from "../demo/target.ts";

/** An object of any kind, as far as these tests look into it. */
export interface Seen extends KubeObject {
  // biome-ignore lint/suspicious/noExplicitAny: tests read what they expect
  status?: any;
}

export interface World {
  target: Target;
  images: Images;
  apply(...objects: object[]): Promise<void>;
  /** The object; throws when there is none. */
  get(kind: string, name: string): Promise<Seen>;
  /** Asks until the answer is given; after the time, fails with what the object looks like. */
  until(kind: string, name: string, is: (object: Seen) => boolean, seconds?: number): Promise<Seen>;
  /** Waits until Ready has one of these reasons, and returns that condition. */
  reason(kind: string, name: string, reason: string, seconds?: number): Promise<Condition>;
  /** Messages of an object's Events that have this reason. */
  events(name: string, reason: string): Promise<string[]>;
}

/** When the tests of a file are over, their pods leave the machine to those of the next. */
let made: Target | undefined;
afterAll(async () => {
  if (made) await kubectl(made, ["delete", "namespace", made.namespace, "--wait=false"]);
});

export async function makeWorld(topic: string): Promise<World> {
  const namespace = `${freshNamespace(new Date())}-${topic}`;
  const images = inject("images");
  const target = await localTarget(kubeconfigPath, { namespace, sklearnImage: images.sklearn, log: silent });
  await makeNamespace(target);
  made = target;
  const get = async (kind: string, name: string) =>
    JSON.parse(await kubectl(target, ["get", kind, name, "-o", "json"])) as Seen;
  const until: World["until"] = async (kind, name, is, seconds = 120) => {
    const deadline = performance.now() + seconds * 1000;
    for (;;) {
      const object = await get(kind, name);
      if (is(object)) return object;
      if (performance.now() > deadline) {
        throw new Error(`${kind} ${name} is not there after ${seconds} s: ${JSON.stringify(object.status, null, 2)}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  };
  return {
    target,
    images,
    get,
    until,
    async apply(...objects) {
      const items = objects.map((object) => ({ ...object, apiVersion: apiVersionOf(object) }));
      await kubectl(target, ["apply", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items }));
    },
    async reason(kind, name, reason, seconds) {
      const object = await until(kind, name, (seen) => ready(seen)?.reason === reason, seconds);
      return ready(object) as Condition;
    },
    async events(name, reason) {
      const all = await listObjects<{ involvedObject: { name: string }; reason: string; message: string }>(
        target,
        "events",
      );
      return all
        .filter((event) => event.involvedObject.name === name && event.reason === reason)
        .map(({ message }) => message);
    },
  };
}

/** The condition that says how an object is. */
export function ready(object: Seen): Condition | undefined {
  return object.status?.conditions?.find(({ type }: Condition) => type === "Ready");
}

function apiVersionOf(object: object): string {
  return "apiVersion" in object ? String(object.apiVersion) : "lemnis.dev/v1alpha1";
}
