/** The thread that keeps the Lease, started by leadership.ts: whatever the main thread does, no renewal is late for it. */
import { isMainThread, type MessagePort, parentPort, workerData } from "node:worker_threads";
import { type ClientOptions, KubeClient } from "./client.ts";
import type { KubeConfig } from "./config.ts";
import { Elector, type ElectorOptions } from "./lease.ts";
import { sharedClock, Term } from "./lease-term.ts";

export interface LeaseWorkerData extends Pick<ElectorOptions, "namespace" | "name" | "identity"> {
  /** What a kubeconfig comes to: to load one here would take 40 MB more. */
  server: string;
  tls: object;
  headers: Record<string, string>;
  /** Of the `Term`. */
  memory: SharedArrayBuffer;
}

/** From the main thread: the headers of the next requests, or that the Lease is to be let go. */
export type LeaseOrder = { headers: Record<string, string> } | "release";
/** To the main thread: that this process leads, or that a request was answered. Loss is told by the thread's end. */
export type LeaseNews = "leading" | Parameters<NonNullable<ClientOptions["onRequest"]>>[0];

async function keepLease(port: MessagePort, data: LeaseWorkerData): Promise<void> {
  const { server, tls, headers, memory, ...lease } = data;
  const stop = new AbortController();
  port.on("message", (order: LeaseOrder) => {
    if (order === "release") stop.abort();
    // The client keeps this very object, so that its next request has them.
    else Object.assign(headers, order.headers);
  });
  const tell = (news: LeaseNews) => port.postMessage(news);
  const config: Pick<KubeConfig, "getCurrentCluster" | "applyToHTTPSOptions"> = {
    getCurrentCluster: () => ({ name: "", server, skipTLSVerify: false }),
    applyToHTTPSOptions: async (options) => void Object.assign(options, tls, { headers }),
  };
  const client = new KubeClient(config as KubeConfig, { deadlineMs: 5_000, onRequest: tell });
  const elector = new Elector(client, { ...lease, clock: sharedClock, term: new Term(sharedClock, memory) });
  if (await elector.acquire(stop.signal)) {
    tell("leading");
    await elector.keep(stop.signal);
    await elector.release();
  }
  await client.close();
  port.close();
}

// The image's build loads this file as well, so that Node has it compiled.
if (!isMainThread && parentPort) await keepLease(parentPort, workerData);
