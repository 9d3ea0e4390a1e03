/** The user of one namespace: applies, deletes and waits, straight on the API server. */
import { setTimeout as sleep } from "node:timers/promises";
import { apiVersion } from "../../operator/api/v1alpha1/common.ts";
import { ApiError } from "../../operator/kube/errors.ts";
import { apiVersionOf, type KubeObject } from "../../operator/kube/types.ts";
import { waitUntil } from "../cluster/progress.ts";
import { type Rig, resourceOf } from "../rig/cluster.ts";
import type { Player } from "../rig/player.ts";
import type { Seen } from "./history.ts";

/** For whatever is waited for: machines are slow, and other work runs on them. */
export const patienceMs = 240_000;

export class User {
  readonly namespace: string;
  readonly rig: Rig;
  readonly player: Player;
  /** Versions that the user made, of whatever object: not the operator's doing. */
  readonly versions = new Set<string>();
  /** What was applied last, by kind: a GitOps tool would have it. */
  readonly #applied = new Map<string, Manifest>();
  #turn: Promise<unknown> = Promise.resolve();

  constructor(rig: Rig, player: Player, namespace: string) {
    [this.rig, this.player, this.namespace] = [rig, player, namespace];
  }

  apply(kind: string, spec: object, metadata: object = {}): Promise<void> {
    return this.#alone(async () => {
      this.#applied.set(kind, { spec, metadata });
      await this.#send(kind, { spec, metadata });
    });
  }

  /** Changes their mind, and again: what was applied last holds in the end. Waits until there is something to change. */
  thereAndBack(kind: string, spec: object): Promise<void> {
    return this.#onApplied(kind, async (last) => {
      await this.#send(kind, { ...last, spec: { ...last.spec, ...spec } });
      await this.#send(kind, last);
    });
  }

  /** Deletes what was applied, and applies it again. Waits until there is something to delete. */
  deleteAndMake(kind: string): Promise<void> {
    return this.#onApplied(kind, async (last) => {
      await this.delete(kind);
      await this.#send(kind, last);
    });
  }

  /** Edits any object as another manager, with force. */
  async meddle(kind: string, name: string, { metadata: more, ...fields }: { metadata?: object; spec?: object }) {
    const resource = resourceOf(kind);
    const found = await insist(() => this.rig.client.get(resource, this.namespace, name));
    const metadata = { name, namespace: this.namespace, ...more };
    const body = { apiVersion: apiVersionOf(resource), kind: found.kind, metadata, ...fields } as KubeObject;
    const answer = await insist(() => this.rig.client.apply(resource, body, { manager: "rival" }));
    this.versions.add(answer.resourceVersion ?? "");
  }

  get(kind: string, name = "wine"): Promise<Seen> {
    return insist(() => this.rig.client.get<Seen>(resourceOf(kind), this.namespace, name));
  }

  async delete(kind: string, name = "wine"): Promise<void> {
    const found = await this.find(kind, name);
    if (!found) return;
    const { metadata } = found;
    await insist(() => this.rig.client.delete(resourceOf(kind), { ...metadata, uid: metadata.uid ?? "" }));
  }

  /** Undefined when there is none. */
  async find(kind: string, name = "wine"): Promise<Seen | undefined> {
    return insist(() =>
      this.rig.client.get<Seen>(resourceOf(kind), this.namespace, name).catch((error: unknown) => {
        if (error instanceof ApiError && error.status === 404) return undefined;
        throw error;
      }),
    );
  }

  async list(kind: string): Promise<Seen[]> {
    const { items } = await insist(() => this.rig.client.list<Seen>(resourceOf(kind), {}));
    // Items of a list say neither what they are nor of which version.
    const type = { kind, apiVersion: apiVersionOf(resourceOf(kind)) };
    return items.filter(({ metadata }) => metadata.namespace === this.namespace).map((item) => ({ ...item, ...type }));
  }

  /** Waits until the object is as asked; the failure shows how it is. */
  async until(kind: string, is: (object: Seen) => boolean): Promise<void> {
    const deadline = performance.now() + patienceMs;
    for (;;) {
      const object = await this.get(kind);
      if (is(object)) return;
      if (performance.now() > deadline) throw new Error(`L1: ${kind} stays ${JSON.stringify(object.status)}`);
      await sleep(50);
    }
  }

  async #send(kind: string, { spec, metadata }: Manifest): Promise<void> {
    const object = { apiVersion, kind, metadata: { name: "wine", namespace: this.namespace, ...metadata }, spec };
    await insist(() => this.rig.client.apply(resourceOf(kind), object as KubeObject, { manager: "kubectl" }));
  }

  async #onApplied(kind: string, act: (last: Manifest) => Promise<void>): Promise<void> {
    const failure = () => new Error(`no ${kind} is ever applied`);
    await waitUntil(async () => this.#applied.has(kind), { timeoutMs: patienceMs, failure });
    await this.#alone(() => act(this.#applied.get(kind) as Manifest));
  }

  /** A fault that makes the user act does not come between two of the user's own acts. */
  #alone<T>(act: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(act);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }
}

interface Manifest {
  spec: object;
  metadata: object;
}

/** A user whose API server is away, or whose object is not there yet, tries again; what is wrong stays so. */
export async function insist<T>(call: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    try {
      return await call();
    } catch (error) {
      const isWrong = error instanceof ApiError && [400, 403, 422].includes(error.status);
      if (isWrong || performance.now() > deadline) throw error;
      await sleep(200);
    }
  }
}
