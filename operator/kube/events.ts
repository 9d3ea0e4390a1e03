/** Kubernetes Events about our objects. One that fails to be written is logged, and nothing else. */
import type { KubeClient } from "./client.ts";
import { events } from "./resources.ts";
import type { KubeObject } from "./types.ts";

export interface EventInput {
  type: "Normal" | "Warning";
  reason: string;
  message: string;
}

/** The same thing is not said again within this time. */
const quietMs = 10 * 60_000;
/** Kubernetes' own limit of an Event's note; it calls them characters and counts bytes. */
const noteBytes = 1024;
const remembered = 10_000;

interface RecorderOptions {
  /** Who reports: the pod's name. */
  instance: string;
  now: () => Date;
  onError: (error: unknown) => void;
}

export class EventRecorder {
  readonly #client: KubeClient;
  readonly #options: RecorderOptions;
  /** When each event was last written, oldest first. */
  readonly #told = new Map<string, number>();

  constructor(client: KubeClient, options: RecorderOptions) {
    this.#client = client;
    this.#options = options;
  }

  async record(about: KubeObject, { type, reason, message }: EventInput): Promise<void> {
    const now = this.#options.now();
    const key = `${about.metadata.uid} ${reason} ${message}`;
    const last = this.#told.get(key);
    if (last !== undefined && now.getTime() - last < quietMs) return;
    this.#told.delete(key);
    this.#told.set(key, now.getTime());
    for (const oldest of this.#told.keys()) {
      if (this.#told.size <= remembered) break;
      this.#told.delete(oldest);
    }
    const { name, namespace = "default", uid, resourceVersion } = about.metadata;
    try {
      await this.#client.create(events, {
        apiVersion: "events.k8s.io/v1",
        kind: "Event",
        metadata: { name: `${name}.${now.getTime().toString(16)}${randomHex()}`, namespace },
        eventTime: `${now.toISOString().slice(0, -1)}000Z`,
        reportingController: "lemnis.dev/operator",
        reportingInstance: this.#options.instance,
        action: "Reconcile",
        regarding: { apiVersion: about.apiVersion, kind: about.kind, name, namespace, uid, resourceVersion },
        type,
        reason,
        note: clip(message),
      } as KubeObject);
    } catch (error) {
      this.#told.delete(key);
      this.#options.onError(error);
    }
  }
}

function clip(message: string): string {
  const bytes = Buffer.from(message);
  if (bytes.length <= noteBytes) return message;
  // A stream's decoder leaves out the character that was cut.
  return `${new TextDecoder().decode(bytes.subarray(0, noteBytes - 3), { stream: true })}...`;
}

function randomHex(): string {
  return Math.floor(Math.random() * 0xffff)
    .toString(16)
    .padStart(4, "0");
}
