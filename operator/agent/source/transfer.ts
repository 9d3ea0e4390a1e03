import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import type { Readable } from "node:stream";
import { writeContent } from "../../store/body.ts";
import type { Timing } from "../context.ts";
import { errorCode, errorText, TaskError, transient } from "../failure.ts";

export interface Body {
  stream: Readable;
  /** Bytes that the source promised. */
  length: number | undefined;
  /** How messages name the source, without secrets. */
  label: string;
  /** Told of each chunk's length. */
  received?: ((bytes: number) => void) | undefined;
  /** What an error of the stream means. Default: that it broke off. */
  failure?: (error: unknown) => TaskError;
}

export interface Written {
  size: number;
  digest: string;
}

/**
 * Writes a body to a file, and hashes it on its way. A body that ends early, stalls or outlasts its deadline is
 * SourceUnreachable.
 */
export async function writeBody(
  body: Body,
  target: string,
  timing: Pick<Timing, "idle" | "transfer">,
): Promise<Written> {
  // A stream that fails before it is read must not end the process; reading it tells.
  body.stream.on("error", () => {});
  mkdirSync(dirname(target), { recursive: true });
  const { label, length } = body;
  const fail = (what: string) => body.stream.destroy(transient("SourceUnreachable", `${label}: ${what}`));
  const deadline = setTimeout(() => fail(`the transfer took longer than ${timing.transfer / 1000} s`), timing.transfer);
  const idle = setTimeout(() => fail(`no data came for ${timing.idle / 1000} s`), timing.idle);
  let size = 0;
  async function* counted(): AsyncGenerator<Buffer> {
    for await (const chunk of body.stream as AsyncIterable<Buffer>) {
      size += chunk.length;
      body.received?.(chunk.length);
      idle.refresh();
      yield chunk;
    }
  }
  const written = await writeContent(counted(), length, target)
    .catch((error: unknown) => {
      if (error instanceof TaskError || errorCode(error) === "ENOSPC") throw error;
      if (body.failure) throw body.failure(error);
      const of = length === undefined ? "" : ` of ${length}`;
      throw transient("SourceUnreachable", `${label}: broke off after ${size}${of} bytes: ${errorText(error)}`);
    })
    .finally(() => {
      clearTimeout(deadline);
      clearTimeout(idle);
    });
  if (length !== undefined && size !== length) {
    throw transient("SourceUnreachable", `${label}: broke off after ${size} of ${length} bytes`);
  }
  return written;
}
