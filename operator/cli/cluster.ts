/** What the plugin asks of the cluster: the Dataset as the user, the store by way of the API server. */
import type { z } from "zod";
import type { Dataset } from "../api/v1alpha1/dataset.ts";
import { datasetKind } from "../api/v1alpha1/dataset.ts";
import { KubeClient } from "../kube/client.ts";
import { loadUserConfig } from "../kube/config.ts";
import { ApiError } from "../kube/errors.ts";
import { tokensOf } from "../kube/resources.ts";
import type { KubeObject, Resource } from "../kube/types.ts";
import { dataset as datasetRecord, datasetVersionDetail } from "../store/api.ts";
import { tokenHeader } from "../store/auth.ts";
import { audience } from "../store/token-review.ts";
import type { Target } from "./arguments.ts";
import { explain, UserError } from "./failure.ts";

const datasets: Resource = {
  ...{ group: "lemnis.dev", version: "v1alpha1", namespaced: true },
  ...{ kind: datasetKind.kind, plural: datasetKind.plural },
};
const fieldManager = "kubectl-lemnis";
/** The API server makes none that live shorter. */
const tokenSeconds = 600;

export class Cluster {
  readonly namespace: string;
  readonly #client: KubeClient;
  readonly #store: Target["store"];
  #token: Promise<string> | undefined;

  private constructor(client: KubeClient, namespace: string, store: Target["store"]) {
    this.#client = client;
    this.namespace = namespace;
    this.#store = store;
  }

  static async connect({ namespace, context, store }: Target): Promise<Cluster> {
    try {
      const user = await loadUserConfig(context);
      return new Cluster(new KubeClient(user.config), namespace ?? user.namespace, store);
    } catch (error) {
      throw new UserError(`kubeconfig: ${(error as Error).message}`);
    }
  }

  async dataset(name: string): Promise<Dataset> {
    try {
      return (await this.#client.get<Dataset & KubeObject>(datasets, this.namespace, name)) as Dataset;
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) {
        throw new UserError(
          `there is no Dataset "${name}" in namespace "${this.namespace}": see kubectl get datasets --all-namespaces, and choose with -n`,
        );
      }
      throw explain(error, `get Datasets in namespace "${this.namespace}"`);
    }
  }

  /** Sets an annotation on this very object, and nothing else. */
  async annotate({ metadata }: Dataset, annotations: Record<string, string>): Promise<void> {
    const { name, uid } = metadata;
    const object = {
      ...{ apiVersion: "lemnis.dev/v1alpha1", kind: "Dataset" },
      metadata: { name, namespace: this.namespace, annotations, ...(uid ? { uid } : {}) },
    };
    try {
      await this.#client.apply(datasets, object, { manager: fieldManager });
    } catch (error) {
      throw explain(error, `change Datasets in namespace "${this.namespace}" (the role edit may)`);
    }
  }

  /** All that the store knows of a Dataset. */
  record(name: string) {
    return this.#read(datasetRecord, `/datasets/${encodeURIComponent(name)}`);
  }

  /** `version` is a number or a digest. */
  version(name: string, version: string) {
    return this.#read(datasetVersionDetail, `/datasets/${encodeURIComponent(name)}/versions/${version}`);
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  async #read<S extends z.ZodType>(schema: S, path: string): Promise<z.output<S>> {
    const { namespace, name } = this.#store;
    const service = { namespace, name, port: "http", path: `/v1/namespaces/${this.namespace}${path}` };
    this.#token ??= this.#newToken();
    const headers = { [tokenHeader]: await this.#token };
    const { status, body } = await this.#client.getProxied(service, headers).catch((error: unknown) => {
      throw explain(error, "ask the store");
    });
    if (status !== 200) throw this.#refusal(status, body as Refusal);
    const parsed = schema.safeParse(body);
    if (!parsed.success) {
      throw new UserError("the store is of another version than this plugin: take the plugin from the same release");
    }
    return parsed.data;
  }

  /** The store knows service accounts only, so the user asks it in the name of the namespace's own. */
  async #newToken(): Promise<string> {
    const request = {
      ...{ apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", metadata: { namespace: this.namespace } },
      spec: { audiences: [audience], expirationSeconds: tokenSeconds },
    };
    try {
      type Answer = KubeObject & { status: { token: string } };
      const answer = await this.#client.create<Answer>(tokensOf("default"), request as unknown as KubeObject);
      return answer.status.token;
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) {
        throw new UserError(`namespace "${this.namespace}" has no service account "default": is the namespace there?`);
      }
      const right = `make a token of the service account "default" in namespace "${this.namespace}" (the role edit may)`;
      throw explain(error, right);
    }
  }

  /** The store's own refusals have an `error`; all others are the API server's. */
  #refusal(status: number, { error, message = "" }: Refusal): UserError {
    const service = `${this.#store.namespace}/${this.#store.name}`;
    if (error) return new UserError(`the store: ${error.message}`);
    if (status === 403) {
      return new UserError(
        `you may not reach the store's Service ${service}: the chart's value rbac.pluginAccess says who may. ${message}`,
      );
    }
    if (status === 404) {
      return new UserError(
        `there is no Service ${service}: where Lemnis is installed under other names, give --store. ${message}`,
      );
    }
    return new UserError(`the store (Service ${service}) does not answer: see whether its pod runs. ${message}`.trim());
  }
}

interface Refusal {
  message?: string;
  error?: { code: string; message: string };
}
