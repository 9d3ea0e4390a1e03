/** The store as a process of its own. */
import { join } from "node:path";
import type { PostgresAddress } from "../../operator/store/postgres.ts";
import { Child, freePorts } from "../cluster/os/child.ts";
import { isHealthy } from "../cluster/os/http.ts";
import { storeEnvironment } from "./pod-environment.ts";

/** Like an API server, it can be killed and comes back at the same address. */
export interface StoreProcess {
  url: string;
  dir: string;
  /** Of the process that runs now. */
  pid(): number;
  kill(): Promise<void>;
  /** With its metadata in a file, or in PostgreSQL. */
  restart(postgres?: PostgresAddress): Promise<void>;
}

/** A store whose callers' tokens are their names: no API server is asked. */
export async function startStore(dir: string, logs: string): Promise<StoreProcess> {
  const [port = 0] = await freePorts(1);
  const url = `http://127.0.0.1:${port}`;
  const launch = (postgres?: PostgresAddress) =>
    Child.start({
      ...{ name: "lemnis-store", command: process.execPath, logFile: join(logs, "logs/lemnis-store.log") },
      args: [join(import.meta.dirname, "../integration/store/store-process.ts"), dir, String(port)],
      env: { ...storeEnvironment, ...(postgres ? { POSTGRES: JSON.stringify(postgres) } : {}) },
      isReady: () => isHealthy(`${url}/healthz`),
    });
  let current = await launch();
  return {
    ...{ url, dir },
    pid: () => current.pid,
    kill: () => current.stop("SIGKILL"),
    async restart(postgres) {
      await current.stop("SIGKILL");
      current = await launch(postgres);
    },
  };
}
