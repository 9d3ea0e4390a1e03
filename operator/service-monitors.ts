/** ServiceMonitors are an optional kind: watched while its CustomResourceDefinition is in the cluster. */
import type { KubeClient } from "./kube/client.ts";
import { Reflector } from "./kube/reflector.ts";
import { customResourceDefinitions, serviceMonitors } from "./kube/resources.ts";
import type { KubeObject } from "./kube/types.ts";

interface Options {
  signal: AbortSignal;
  /** Told when the kind has appeared and its objects are in the cache. */
  onSynced: () => void;
}

export interface ServiceMonitorWatch {
  /** To be run with the other watches. */
  definitions: Reflector<KubeObject>;
  areThere: () => boolean;
}

export function watchServiceMonitors(
  client: KubeClient,
  monitors: Reflector<KubeObject>,
  { signal, onSynced }: Options,
): ServiceMonitorWatch {
  const name = `${serviceMonitors.plural}.${serviceMonitors.group}`;
  let watching: AbortController | undefined;
  const definitions = new Reflector<KubeObject>(client, customResourceDefinitions, {
    metadataOnly: true,
    onChange: ({ type, object }) => {
      if (object.metadata.name !== name) return;
      if (type === "deleted") {
        watching?.abort();
        watching = undefined;
        monitors.clear();
      } else if (!watching) {
        watching = new AbortController();
        void monitors.run(AbortSignal.any([signal, watching.signal]));
        void monitors.whenSynced.then(onSynced);
      }
    },
  });
  return { definitions, areThere: () => watching !== undefined && monitors.cache.synced };
}
