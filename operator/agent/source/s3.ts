import { join } from "node:path";
import type { Readable } from "node:stream";
import { GetObjectCommand, ListObjectsV2Command, type S3Client } from "@aws-sdk/client-s3";
import { mapConcurrent, transfers } from "../artifact/concurrent.ts";
import { checkPath, type LocalFile } from "../artifact/files.ts";
import type { Timing } from "../context.ts";
import { permanent } from "../failure.ts";
import { s3Error } from "./s3-client.ts";
import { writeBody } from "./transfer.ts";

interface Target {
  bucket: string;
  /** An object's key, or a prefix: empty, or with a slash at its end. */
  key: string;
  into: string;
  /** Which files of a prefix are wanted, by their path under it. */
  wanted: (path: string) => boolean;
}

export interface S3Files {
  files: LocalFile[];
  folder: boolean;
  etag?: string;
}

/** More files than a version may have are a wrong prefix. */
const fileLimit = 10_000;

export async function fetchS3(client: S3Client, target: Target, timing: Timing): Promise<S3Files> {
  const { bucket, key, into } = target;
  if (key !== "" && !key.endsWith("/")) {
    const path = checkPath(key.split("/").at(-1) ?? "", "SourceInvalid");
    const local = join(into, path);
    const etag = await fetchObject(client, { bucket, key, local }, timing);
    return { files: [{ path, local }], folder: false, ...(etag ? { etag } : {}) };
  }
  const paths = await list(client, target);
  const files = await mapConcurrent(paths, transfers, async (path) => {
    const local = join(into, checkPath(path, "SourceInvalid"));
    await fetchObject(client, { bucket, key: key + path, local }, timing);
    return { path, local };
  });
  return { files, folder: true };
}

async function list(client: S3Client, { bucket, key, wanted }: Target): Promise<string[]> {
  const label = `s3://${bucket}/${key}`;
  const paths: string[] = [];
  let token: string | undefined;
  do {
    const page = await client
      .send(new ListObjectsV2Command({ Bucket: bucket, Prefix: key, ContinuationToken: token }))
      .catch((error: unknown) => {
        throw s3Error(error, label);
      });
    for (const { Key = "" } of page.Contents ?? []) {
      const path = Key.slice(key.length);
      // Consoles make empty objects that stand for folders.
      if (path !== "" && !path.endsWith("/") && wanted(path)) paths.push(path);
    }
    if (paths.length > fileLimit)
      throw permanent("SourceInvalid", `${label} has more than ${fileLimit} files: narrow the prefix`);
    token = page.NextContinuationToken;
  } while (token);
  if (paths.length === 0) {
    throw permanent("SourceNotFound", `${label} holds no file of the wanted kind: check the prefix and the format`);
  }
  return paths;
}

async function fetchObject(
  client: S3Client,
  { bucket, key, local }: { bucket: string; key: string; local: string },
  timing: Timing,
): Promise<string | undefined> {
  const label = `s3://${bucket}/${key}`;
  const abortSignal = AbortSignal.timeout(timing.transfer);
  const answer = await client
    .send(new GetObjectCommand({ Bucket: bucket, Key: key }), { abortSignal, requestTimeout: timing.idle })
    .catch((error: unknown) => {
      throw s3Error(error, label);
    });
  await writeBody({ stream: answer.Body as Readable, length: answer.ContentLength, label }, local, timing);
  return answer.ETag;
}
