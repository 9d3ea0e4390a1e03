import type { Readable } from "node:stream";
import { GetObjectCommand, HeadObjectCommand, ListObjectsV2Command, type S3Client } from "@aws-sdk/client-s3";
import type { Timing } from "../context.ts";
import { transient } from "../failure.ts";
import type { ObjectStore, OpenObject, Pin, StoredObject } from "./object-store.ts";
import { s3Error } from "./s3-client.ts";

/** A bucket that speaks S3. */
export class S3Store implements ObjectStore {
  readonly #client: S3Client;
  readonly #bucket: { scheme: string; name: string };
  readonly #timing: Timing;

  constructor(client: S3Client, bucket: { scheme: string; name: string }, timing: Timing) {
    this.#client = client;
    this.#bucket = bucket;
    this.#timing = timing;
  }

  uri(key: string): string {
    return `${this.#bucket.scheme}://${this.#bucket.name}/${key}`;
  }

  async head(key: string): Promise<StoredObject> {
    const answer = await this.#client
      .send(new HeadObjectCommand({ Bucket: this.#bucket.name, Key: key }))
      .catch(this.#failure(key));
    return { key, size: answer.ContentLength ?? 0, etag: answer.ETag ?? "" };
  }

  async *list(prefix: string): AsyncGenerator<StoredObject[]> {
    let token: string | undefined;
    do {
      const page = await this.#client
        .send(new ListObjectsV2Command({ Bucket: this.#bucket.name, Prefix: prefix, ContinuationToken: token }))
        .catch(this.#failure(prefix));
      yield (page.Contents ?? []).map(({ Key = "", Size = 0, ETag = "" }) => ({ key: Key, size: Size, etag: ETag }));
      token = page.NextContinuationToken;
    } while (token);
  }

  async open({ key, etag, version }: Pin): Promise<OpenObject> {
    const pin = version ? { VersionId: version } : etag ? { IfMatch: etag } : {};
    const options = {
      abortSignal: AbortSignal.timeout(this.#timing.transfer),
      requestTimeout: this.#timing.idle,
    };
    const answer = await this.#client
      .send(new GetObjectCommand({ Bucket: this.#bucket.name, Key: key, ...pin }), options)
      .catch(this.#failure(key));
    const stream = answer.Body as Readable;
    // Not every store heeds If-Match.
    if (etag && answer.ETag && answer.ETag !== etag) {
      stream.on("error", () => {}).destroy();
      throw transient("SourceChanged", `${this.uri(key)} changed while it was read`);
    }
    const { ContentLength: length, VersionId } = answer;
    return { stream, length, version: VersionId === "null" ? undefined : VersionId };
  }

  async close(): Promise<void> {
    this.#client.destroy();
  }

  #failure(key: string): (error: unknown) => never {
    return (error) => {
      throw s3Error(error, this.uri(key));
    };
  }
}
