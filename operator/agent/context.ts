import type { Logger } from "pino";
import type { AgentStore } from "./agent-store.ts";
import { paths } from "./paths.ts";

/** Where the agent finds things; tests put them all under one folder. */
export type AgentPaths = { readonly [name in keyof typeof paths | "terminationLog"]: string };

export const agentPaths: AgentPaths = { ...paths, terminationLog: "/dev/termination-log" };

/** How long the agent waits, in milliseconds. */
export interface Timing {
  /** For a source's next byte. */
  idle: number;
  /** For a whole file. */
  transfer: number;
  /** For the runtime to load the model. */
  runtimeReady: number;
  /** For one answer to a prediction. */
  prediction: number;
  /** For all the SQL of a derived Dataset. */
  transform: number;
  /** For the SQL of one expectation. */
  expectation: number;
  /** Between two looks at something that is not ready. */
  poll: number;
  /** Between two looks for a new version of what is served. */
  reload: number;
  /** For callers to go elsewhere, before a server ends. */
  drain: number;
}

export const defaultTiming: Timing = {
  idle: 60_000,
  transfer: 3 * 3_600_000,
  runtimeReady: 300_000,
  prediction: 60_000,
  transform: 3_600_000,
  expectation: 10 * 60_000,
  poll: 1_000,
  reload: 5_000,
  drain: 5_000,
};

/** All that a task works with. */
export interface AgentContext {
  readonly store: AgentStore;
  readonly paths: AgentPaths;
  readonly logger: Logger;
  readonly timing: Timing;
  /** For a task that ends by itself when it is told to; every other one is ended. */
  readonly signal?: AbortSignal | undefined;
  /** Tests only: sources may be on this machine. */
  readonly allowLoopback?: boolean | undefined;
}
