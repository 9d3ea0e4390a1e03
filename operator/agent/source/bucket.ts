import type { Timing } from "../context.ts";
import type { ArtifactLocation } from "../tasks.ts";
import { AzureStore } from "./azure.ts";
import type { Network } from "./network.ts";
import type { ObjectStore } from "./object-store.ts";
import { S3Store } from "./s3.ts";
import { openS3 } from "./s3-client.ts";
import type { Bucket } from "./uri.ts";

/** The bucket with the location's access: its endpoint, region and Secret. */
export async function openBucket(
  bucket: Bucket,
  location: ArtifactLocation,
  { network, timing }: { network: Network; timing: Timing },
): Promise<ObjectStore> {
  if (bucket.scheme === "az") return AzureStore.open(bucket, location, { network, timing });
  return new S3Store(await openS3({ ...location, scheme: bucket.scheme }, network), bucket, timing);
}
