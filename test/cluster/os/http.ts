import { get as getPlain } from "node:http";
import { get as getSecure } from "node:https";

export interface Answer {
  status: number;
  body: string;
}

/** One GET for health checks and small reads; undefined when nobody answers in time. Without `ca` the certificate is not checked. */
export function probe(
  url: string,
  { ca, token, timeoutMs = 2000 }: { ca?: string | Buffer; token?: string; timeoutMs?: number } = {},
): Promise<Answer | undefined> {
  return new Promise((resolve) => {
    const headers = token ? { authorization: `Bearer ${token}` } : {};
    const trust = ca ? { ca } : { rejectUnauthorized: false };
    const get = url.startsWith("https:") ? getSecure : getPlain;
    const signal = AbortSignal.timeout(timeoutMs);
    const request = get(url, { headers, signal, agent: false, ...trust }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
      response.on("error", () => resolve(undefined));
    });
    request.on("error", () => resolve(undefined));
  });
}

/** Whether a health endpoint answers 200. */
export async function isHealthy(url: string): Promise<boolean> {
  return (await probe(url))?.status === 200;
}
