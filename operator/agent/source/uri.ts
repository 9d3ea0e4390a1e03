import { permanent, redact } from "../failure.ts";

/** A location's uri in its parts. */
export type SourceUri =
  | { kind: "http"; url: URL }
  | { kind: "bucket"; scheme: "s3" | "gs"; bucket: string; key: string }
  | { kind: "mounted"; path: string };

/** http(s)://host/file, s3://bucket/key, gs://bucket/key, pvc://claim/path, configmap://name/key. */
export function parseUri(uri: string): SourceUri {
  const [, written, rest = ""] = /^([a-z0-9+.-]+):\/\/(.*)$/is.exec(uri) ?? [];
  const scheme = written?.toLowerCase();
  switch (scheme) {
    case "http":
    case "https": {
      const url = URL.parse(uri);
      if (!url) throw invalid(uri, "is not a valid URL");
      return { kind: "http", url };
    }
    case "s3":
    case "gs": {
      const [bucket, key] = cut(rest);
      if (!bucket) throw invalid(uri, `names no bucket: write ${scheme}://bucket/key, or ${scheme}://bucket/prefix/`);
      return { kind: "bucket", scheme, bucket, key };
    }
    case "pvc":
    case "configmap": {
      const path = cut(rest)[1].replace(/\/+$/, "");
      if (path.split("/").includes("..")) throw invalid(uri, "must not contain ..");
      return { kind: "mounted", path };
    }
    default:
      throw invalid(uri, "is not http(s)://, s3://, gs://, pvc:// or configmap://");
  }
}

/** What is before the first slash, and what is after it. */
function cut(rest: string): [string, string] {
  const slash = rest.indexOf("/");
  return slash < 0 ? [rest, ""] : [rest.slice(0, slash), rest.slice(slash + 1)];
}

function invalid(uri: string, why: string) {
  return permanent("SourceInvalid", `the uri ${redact(uri)} ${why}`);
}
