/** Asks the API server, as this pod's service account, whose a token is. */
import { readFile } from "node:fs/promises";
import { Agent, request } from "undici";
import type { Review } from "./auth.ts";

export const audience = "lemnis-store";

interface ClusterAccess {
  /** https://host:port */
  server: string;
  caFile: string;
  tokenFile: string;
}

/** In a pod, Kubernetes puts these here. */
export function podClusterAccess(host: string, port: string): ClusterAccess {
  const folder = "/var/run/secrets/kubernetes.io/serviceaccount";
  const address = host.includes(":") ? `[${host}]` : host;
  return { server: `https://${address}:${port}`, caFile: `${folder}/ca.crt`, tokenFile: `${folder}/token` };
}

export async function createReview({
  server,
  caFile,
  tokenFile,
}: ClusterAccess): Promise<(token: string) => Promise<Review>> {
  const dispatcher = new Agent({ connections: 8, connect: { ca: await readFile(caFile) } });
  return async (token) => {
    // The kubelet replaces our own token as it ages.
    const own = (await readFile(tokenFile, "utf8")).trim();
    const answer = await request(`${server}/apis/authentication.k8s.io/v1/tokenreviews`, {
      method: "POST",
      headers: { authorization: `Bearer ${own}`, "content-type": "application/json" },
      body: JSON.stringify({
        apiVersion: "authentication.k8s.io/v1",
        kind: "TokenReview",
        spec: { token, audiences: [audience] },
      }),
      dispatcher,
      headersTimeout: 5_000,
      bodyTimeout: 5_000,
    });
    if (answer.statusCode !== 201) {
      await answer.body.dump();
      throw new Error(`TokenReview was answered ${answer.statusCode}`);
    }
    const { status } = (await answer.body.json()) as {
      status: { authenticated?: boolean; user?: { username?: string }; audiences?: string[] };
    };
    const authenticated = status.authenticated === true && (status.audiences?.includes(audience) ?? false);
    return { authenticated, ...(status.user?.username ? { username: status.user.username } : {}) };
  };
}
