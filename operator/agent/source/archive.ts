import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { Agent, type Dispatcher, request } from "undici";
import type { Timing } from "../context.ts";
import { errorText, permanent, redact, transient } from "../failure.ts";
import { writeBody } from "./transfer.ts";

/** A Flux artifact: a tar.gz of a commit, served inside the cluster. */
export interface Artifact {
  url: string;
  digest: string;
}

/** Writes the artifact to a file, hashed as it comes. Redirects are not followed: Flux sends none. */
export async function fetchArchive(
  { url, digest }: Artifact,
  file: string,
  timing: Timing,
  limit = 2 ** 30,
): Promise<void> {
  const label = redact(url);
  const agent = new Agent({ connect: { timeout: 10_000 }, headersTimeout: timing.idle, bodyTimeout: timing.idle });
  try {
    const response = await ask(url, agent);
    const hash = createHash("sha256");
    const hashed = async function* () {
      let size = 0;
      for await (const chunk of response.body as AsyncIterable<Buffer>) {
        size += chunk.length;
        if (size > limit) throw permanent("SourceInvalid", `${label} is larger than ${limit} bytes`);
        hash.update(chunk);
        yield chunk;
      }
    };
    const length = response.headers["content-length"];
    const body = { stream: Readable.from(hashed()), length: length ? Number(length) : undefined, label };
    await writeBody(body, file, timing);
    const found = `sha256:${hash.digest("hex")}`;
    if (found !== digest) throw permanent("DigestMismatch", `${label} has the digest ${found}, Flux says ${digest}`);
  } finally {
    await agent.destroy();
  }
}

async function ask(url: string, dispatcher: Agent): Promise<Dispatcher.ResponseData> {
  const label = redact(url);
  const response = await request(url, { dispatcher }).catch((error: unknown) => {
    const hint = "does a NetworkPolicy keep this namespace from Flux's source-controller?";
    throw transient("SourceUnreachable", `${label} can't be reached: ${errorText(error)}; ${hint}`);
  });
  const { statusCode } = response;
  if (statusCode === 200) return response;
  await response.body.dump();
  if (statusCode === 404 || statusCode === 410) {
    const message = `${label} is no longer there: the GitRepository has a newer commit, which makes a new run`;
    throw permanent("CodeChanged", message);
  }
  if (statusCode >= 500 || statusCode === 408 || statusCode === 429) {
    throw transient("SourceUnreachable", `${label} answered HTTP ${statusCode}`);
  }
  throw permanent("SourceInvalid", `${label} answered HTTP ${statusCode}, not with the artifact`);
}
