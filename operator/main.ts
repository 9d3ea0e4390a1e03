/** The one entry point: `operator`, `store` or `agent`. The only reader of the environment and of signals. */
import { inspect } from "node:util";
import { paths } from "./agent/paths.ts";
import { readAgentSettings, readOperatorSettings, readStoreSettings } from "./config.ts";
import { createLogger } from "./runtime/logger.ts";

const usage = "usage: node operator/main.ts operator | store | agent";

/** Aborted by the first SIGTERM or SIGINT; a second one ends the process at once. */
function stopSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of ["SIGTERM", "SIGINT"] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(1);
      controller.abort();
    });
  }
  return controller.signal;
}

async function main(program: string | undefined): Promise<number> {
  const signal = stopSignal();
  switch (program) {
    case "operator": {
      const settings = readOperatorSettings(process.env);
      const logger = createLogger(settings.LEMNIS_LOG_LEVEL);
      // Each program loads its own part: an agent is up before a Kubernetes client is parsed.
      const { loadKubeConfig } = await import("./kube/config.ts");
      const { runOperator } = await import("./operator.ts");
      const onLost = (error: Error | undefined) => {
        logger.fatal({ err: error }, "the lease is lost: ending, so that another process leads");
        process.exit(1);
      };
      const { KUBECONFIG, KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = settings;
      const serviceAccountDir = settings.LEMNIS_SERVICE_ACCOUNT_DIR;
      const kubeConfig = await loadKubeConfig({
        pod: host && !KUBECONFIG ? { host, port, serviceAccountDir } : undefined,
      });
      await runOperator({ kubeConfig, settings, logger, signal, onLost });
      return 0;
    }
    case "store": {
      const settings = readStoreSettings(process.env);
      const { runStore } = await import("./store/main.ts");
      await runStore({ settings, logger: createLogger(settings.LEMNIS_LOG_LEVEL), signal });
      return 0;
    }
    case "agent": {
      const settings = readAgentSettings(process.env);
      const { runAgent } = await import("./agent/run.ts");
      const { StoreClient } = await import("./store/client.ts");
      const { tokenFile } = await import("./store/token-file.ts");
      const store = new StoreClient({
        url: settings.LEMNIS_STORE_URL,
        token: tokenFile(`${paths.token}/token`),
      });
      return runAgent({ task: settings.LEMNIS_TASK, store, logger: createLogger(settings.LEMNIS_LOG_LEVEL), signal });
    }
    default:
      process.stderr.write(`${usage}\n`);
      return program === "--help" ? 0 : 2;
  }
}

try {
  process.exit(await main(process.argv[2]));
} catch (error) {
  process.stderr.write(`${inspect(error)}\n`);
  process.exit(1);
}
