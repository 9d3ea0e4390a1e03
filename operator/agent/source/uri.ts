import { permanent, redact } from "../failure.ts";

/** A location's uri in its parts. */
export type SourceUri =
  | { kind: "http"; url: URL }
  | { kind: "s3"; bucket: string; key: string }
  | { kind: "mounted"; path: string };

/** http(s)://host/file, s3://bucket/key, pvc://claim/path, configmap://name/key. */
export function parseUri(uri: string): SourceUri {
  const [, scheme, rest = ""] = /^([a-z0-9+.-]+):\/\/(.*)$/is.exec(uri) ?? [];
  switch (scheme?.toLowerCase()) {
    case "http":
    case "https": {
      const url = URL.parse(uri);
      if (!url) throw invalid(uri, "is not a valid URL");
      return { kind: "http", url };
    }
    case "s3": {
      const slash = rest.indexOf("/");
      const bucket = slash < 0 ? rest : rest.slice(0, slash);
      const key = slash < 0 ? "" : rest.slice(slash + 1);
      if (!bucket) throw invalid(uri, "names no bucket: write s3://bucket/key, or s3://bucket/prefix/");
      return { kind: "s3", bucket, key };
    }
    case "pvc":
    case "configmap": {
      const slash = rest.indexOf("/");
      const path = slash < 0 ? "" : rest.slice(slash + 1).replace(/\/+$/, "");
      if (path.split("/").includes("..")) throw invalid(uri, "must not contain ..");
      return { kind: "mounted", path };
    }
    default:
      throw invalid(uri, "is not http(s)://, s3://, pvc:// or configmap://");
  }
}

function invalid(uri: string, why: string) {
  return permanent("SourceInvalid", `the uri ${redact(uri)} ${why}`);
}
