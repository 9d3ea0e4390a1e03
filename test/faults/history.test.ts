import { expect, test } from "vitest";
import type { Watched } from "../../operator/kube/reflector.ts";
import type { KubeObject } from "../../operator/kube/types.ts";
import { History } from "./history.ts";

const deployment = (name: string, resourceVersion: string): KubeObject => ({
  ...{ apiVersion: "apps/v1", kind: "Deployment" },
  metadata: { name, namespace: "a", uid: name, resourceVersion },
});

test("what went unseen went before the list that does not have it, and after all that it was seen to be", async () => {
  const lists = [
    { items: [deployment("one", "3"), deployment("two", "4")], metadata: { resourceVersion: "5" } },
    { items: [deployment("two", "9")], metadata: { resourceVersion: "12" } },
  ];
  const events = [
    '{"type":"MODIFIED","object":{"metadata":{"name":"one","namespace":"a","uid":"one","resourceVersion":"7"}}}',
  ];
  const { promise: relisted, resolve: heard } = Promise.withResolvers<void>();
  const server: Watched = {
    async list<T>({ kind }: { kind: string }) {
      const list = kind === "Deployment" ? lists.shift() : undefined;
      return (list ?? { items: [], metadata: { resourceVersion: "1" } }) as {
        items: T[];
        metadata: { resourceVersion: string };
      };
    },
    async *watch({ kind }, _, { signal }) {
      if (kind === "Deployment" && lists.length > 0) {
        yield* events;
        yield '{"type":"ERROR","object":{"code":410}}';
      }
      if (kind === "Deployment") heard();
      await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    },
  };
  const history = new History(server);
  await relisted;
  await history.stop();
  const told = history.happenings.map(({ revision, type, object }) => `${revision} ${type} ${object.metadata.name}`);
  expect(told).toEqual(["3 added one", "4 added two", "7 modified one", "9 modified two", "12 deleted one"]);
});
