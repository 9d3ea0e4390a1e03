/** The store as a service on a temporary folder, with tokens that say who they are: <namespace>:<account>. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { Registry } from "prom-client";
import { StoreClient } from "../../../operator/store/client.ts";
import type { PostgresAddress } from "../../../operator/store/postgres.ts";
import { startStore } from "../../../operator/store/server.ts";

export const operator = "lemnis-system:lemnis";

export interface World {
  url: string;
  folder: string;
  /** Everything that was logged. */
  log: () => string;
  clientOf(account: string, tries?: number): StoreClient;
  request(
    account: string | undefined,
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ status: number; body: { error?: { code: string; message: string } } }>;
  stop(): Promise<void>;
}

/** `postgres`: for the metadata, instead of a file in the folder. */
export async function startWorld(folder?: string, postgres?: PostgresAddress): Promise<World> {
  const dataDir = folder ?? (await mkdtemp(join(tmpdir(), "lemnis-store-")));
  let log = "";
  const destination = {
    write(line: string) {
      log += line;
    },
  };
  const store = await startStore({
    ...{
      dataDir,
      postgres,
      host: "127.0.0.1",
      port: 0,
      operatorIdentity: operator.replace(":", "/"),
      registry: new Registry(),
    },
    logger: pino({ level: "debug" }, destination),
    review: async (token) => ({ authenticated: token.includes(":"), username: `system:serviceaccount:${token}` }),
  });
  const clients: StoreClient[] = [];
  return {
    ...{ url: store.url, folder: dataDir, log: () => log },
    clientOf(account, tries = 1) {
      const client = new StoreClient({ url: store.url, token: async () => account, tries });
      clients.push(client);
      return client;
    },
    async request(account, method, path, body) {
      const answer = await fetch(`${store.url}${path}`, {
        method,
        headers: {
          ...(account ? { authorization: `Bearer ${account}` } : {}),
          ...(body === undefined ? {} : { "content-type": "application/json" }),
        },
        ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
      });
      const text = await answer.text();
      return { status: answer.status, body: text.startsWith("{") ? JSON.parse(text) : {} };
    },
    async stop() {
      await Promise.all(clients.map((client) => client.close()));
      await store.close();
      if (!folder) await rm(dataDir, { recursive: true, force: true });
    },
  };
}
