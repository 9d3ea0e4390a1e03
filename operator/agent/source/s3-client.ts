import { S3Client } from "@aws-sdk/client-s3";
import { errorText, permanent, type TaskError, transient } from "../failure.ts";
import type { ArtifactLocation } from "../tasks.ts";
import { refusalIn } from "./guard.ts";
import { guardedHttpAgents } from "./http-agent.ts";
import type { Network } from "./network.ts";

/** Google Cloud Storage speaks S3 to whoever has HMAC keys. */
const defaultEndpoints: Record<string, string> = { gs: "https://storage.googleapis.com" };

/** A client with the tenant's credentials, read from the mounted Secret; without one, requests are not signed. */
export async function openS3(
  { scheme, endpoint = defaultEndpoints[scheme], region, secret }: ArtifactLocation & { scheme: string },
  network: Network,
): Promise<S3Client> {
  return new S3Client({
    region: region ?? "us-east-1",
    maxAttempts: 3,
    requestHandler: { ...guardedHttpAgents(network), connectionTimeout: 10_000 },
    // Many S3-compatible stores send no checksums, or reject the request for them.
    responseChecksumValidation: "WHEN_REQUIRED",
    requestChecksumCalculation: "WHEN_REQUIRED",
    ...(endpoint ? { endpoint, forcePathStyle: true } : { followRegionRedirects: true }),
    ...(secret
      ? { credentials: await readCredentials(network) }
      : {
          credentials: { accessKeyId: "anonymous", secretAccessKey: "anonymous" },
          signer: { sign: async (request) => request },
        }),
  });
}

async function readCredentials({ secret }: Network) {
  const accessKeyId = await secret("AWS_ACCESS_KEY_ID");
  const secretAccessKey = await secret("AWS_SECRET_ACCESS_KEY");
  const sessionToken = await secret("AWS_SESSION_TOKEN");
  if (!accessKeyId || !secretAccessKey) {
    throw permanent(
      "SourceForbidden",
      "the Secret in secretRef must have the keys AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, both not empty",
    );
  }
  return { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) };
}

interface ServiceError {
  name?: string;
  $metadata?: { httpStatusCode?: number };
}

/** What an S3 error means for the user. */
export function s3Error(error: unknown, label: string): TaskError {
  const refusal = refusalIn(error);
  if (refusal) return refusal;
  const { name = "Error", $metadata } = error as ServiceError;
  const status = $metadata?.httpStatusCode;
  if (name === "PreconditionFailed" || name === "NoSuchVersion" || status === 412) {
    return transient("SourceChanged", `${label} is not what it was when it was pinned: it changed, or is gone`);
  }
  if (/^(NoSuchKey|NoSuchBucket|NotFound)$/.test(name) || status === 404) {
    const what = name === "NoSuchBucket" ? "its bucket does not exist" : "it or its bucket does not exist";
    return permanent("SourceNotFound", `${label}: ${what}: check the uri and the endpoint`);
  }
  if (name === "PermanentRedirect" || name === "AuthorizationHeaderMalformed" || status === 301) {
    return permanent("SourceInvalid", `${label}: the bucket is in another region: set region`);
  }
  if (status === 401 || status === 403) {
    return permanent(
      "SourceForbidden",
      `${label} may not be read (${name}): check secretRef, and that its key may list and read`,
    );
  }
  if (status !== undefined && status < 500 && status !== 408 && status !== 429) {
    return permanent("SourceInvalid", `${label}: S3 answered ${name} (HTTP ${status}): ${errorText(error)}`);
  }
  return transient("SourceUnreachable", `${label} can't be reached: ${errorText(error)}`);
}
