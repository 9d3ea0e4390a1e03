import { Readable } from "node:stream";
import type { Agent, Dispatcher } from "undici";
import { errorText, permanent, redact, type TaskError, transient } from "../failure.ts";
import { Guard, refusalIn } from "./guard.ts";
import { guardedAgent, type SourceContext } from "./network.ts";
import { writeBody } from "./transfer.ts";
import { contentLength } from "./web.ts";

/** A Flux artifact: a tar.gz of a commit, served inside the cluster. */
export interface Artifact {
  url: string;
  digest: string;
}

/** Of the archive, before it is unpacked. */
const limit = 2 ** 30;

/** Writes the artifact to a file, and verifies it. Redirects are not followed: Flux sends none. */
export async function fetchArchive({ url, digest }: Artifact, file: string, context: SourceContext): Promise<void> {
  const { timing, allowLoopback } = context;
  const label = redact(url);
  // The ranges that the platform team denies are the cluster's own, where Flux is.
  const guard = new Guard({ allowLoopback, timeout: 10_000 });
  const agent = guardedAgent({ guard, ca: undefined }, timing.idle);
  try {
    const response = await ask(url, agent);
    const limited = async function* () {
      let size = 0;
      for await (const chunk of response.body as AsyncIterable<Buffer>) {
        size += chunk.length;
        if (size > limit) throw permanent("SourceInvalid", `${label} is larger than ${limit} bytes`);
        yield chunk;
      }
    };
    const body = { stream: Readable.from(limited()), length: contentLength(response), label };
    const written = await writeBody(body, file, timing);
    if (written.digest !== digest) {
      throw permanent("DigestMismatch", `${label} has the digest ${written.digest}, Flux says ${digest}`);
    }
  } finally {
    await agent.destroy();
  }
}

async function ask(url: string, agent: Agent): Promise<Dispatcher.ResponseData> {
  const label = redact(url);
  const { origin, pathname } = new URL(url);
  const response = await agent.request({ origin, path: pathname, method: "GET" }).catch((error: unknown) => {
    const hint = "does a NetworkPolicy keep this namespace from Flux's source-controller?";
    const told = `${label} can't be reached: ${errorText(error)}; ${hint}`;
    throw refusalIn(error) ?? transient("SourceUnreachable", told);
  });
  if (response.statusCode === 200) return response;
  await response.body.dump();
  throw refusal(response.statusCode, label);
}

function refusal(status: number, label: string): TaskError {
  if (status === 404 || status === 410) {
    const message = `${label} is no longer there: the GitRepository has a newer commit, which makes a new run`;
    return permanent("CodeChanged", message);
  }
  if (status >= 500 || status === 408 || status === 429) {
    return transient("SourceUnreachable", `${label} answered HTTP ${status}`);
  }
  return permanent("SourceInvalid", `${label} answered HTTP ${status}, not with the artifact`);
}
