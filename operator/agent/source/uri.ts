import { permanent, redact } from "../failure.ts";
import type { AzureContainer } from "./azure.ts";
import type { GitAddress } from "./git-repository.ts";
import type { OciAddress } from "./oci.ts";
import type { PostgresAddress } from "./postgres.ts";

/** Where objects are kept. */
export type Bucket = { scheme: "s3" | "gs"; name: string } | ({ scheme: "az" } & AzureContainer);

/** A location's uri in its parts. */
export type SourceUri =
  | { kind: "bucket"; bucket: Bucket; key: string }
  | { kind: "http"; url: URL }
  | { kind: "git"; address: GitAddress }
  | { kind: "oci"; address: OciAddress }
  | { kind: "postgres"; address: PostgresAddress }
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
      const [name, key] = cut(rest);
      if (!name) throw invalid(uri, `names no bucket: write ${scheme}://bucket/key, or ${scheme}://bucket/prefix/`);
      return { kind: "bucket", bucket: { scheme, name }, key };
    }
    case "az": {
      const [account, path] = cut(rest);
      const [container, key] = cut(path);
      // They become parts of a host's name and of a path.
      if (!/^[a-z0-9]{3,24}$/.test(account) || !/^[a-z0-9$][a-z0-9-]{2,62}$/.test(container)) {
        throw invalid(uri, "names no account and container: write az://account/container/blob");
      }
      return { kind: "bucket", bucket: { scheme, account, container }, key };
    }
    case "git+https":
    case "git+ssh":
      return { kind: "git", address: parseGit(uri, scheme === "git+ssh" ? "ssh" : "https") };
    case "oci":
      return { kind: "oci", address: parseOci(uri) };
    case "postgres":
      return { kind: "postgres", address: parsePostgres(uri) };
    case "pvc":
    case "configmap": {
      const path = cut(rest)[1].replace(/\/+$/, "");
      if (path.split("/").includes("..")) throw invalid(uri, "must not contain ..");
      return { kind: "mounted", path };
    }
    default:
      throw invalid(
        uri,
        "is not http(s)://, s3://, gs://, az://, git+https://, git+ssh://, oci://, postgres://, pvc:// or configmap://",
      );
  }
}

/** Only what can't be taken for an option or a shell's word. */
const gitUri =
  /^git[+]\w+:\/\/(?:([A-Za-z0-9_][A-Za-z0-9._-]*)@)?([A-Za-z0-9][A-Za-z0-9.-]*|\[[0-9A-Fa-f:.]+\])(?::(\d{1,5}))?(\/[^?#]+)$/;

function parseGit(uri: string, protocol: "https" | "ssh"): GitAddress {
  const [, user, host = "", port, path = ""] = gitUri.exec(uri) ?? [];
  if (!host || (user && protocol === "https")) {
    throw invalid(uri, `is no repository: write git+${protocol}://${protocol === "ssh" ? "user@" : ""}host/repository`);
  }
  return { protocol, user: user ?? "git", host, port: port === undefined ? undefined : Number(port), path };
}

/** As registries name things: https://github.com/opencontainers/distribution-spec, "pull". */
const ociUri =
  /^oci:\/\/([A-Za-z0-9.-]+(?::\d{1,5})?|\[[0-9A-Fa-f:.]+\](?::\d{1,5})?)\/([a-z0-9]+(?:[._/-]+[a-z0-9]+)*)(?::(\w[\w.-]{0,127})|@(sha256:[0-9a-f]{64}))?$/;

function parseOci(uri: string): OciAddress {
  const [, registry, repository, tag = "latest", digest = tag] = ociUri.exec(uri) ?? [];
  if (!registry || !repository) throw invalid(uri, "is no artifact: write oci://registry/repository:tag");
  return { registry, repository, reference: digest };
}

const sslmodes = ["verify-full", "require", "disable"] as const;

function parsePostgres(uri: string): PostgresAddress {
  const url = URL.parse(uri);
  const database = /^\/([^/]+)$/.exec(url?.pathname ?? "")?.[1];
  if (!url?.hostname || !database || url.username) {
    throw invalid(uri, "is no database: write postgres://host:5432/database");
  }
  const { sslmode = "verify-full", ...others } = Object.fromEntries(url.searchParams);
  const known = sslmodes.find((mode) => mode === sslmode);
  if (!known || Object.keys(others).length > 0) {
    throw invalid(uri, `may have no parameter but sslmode, which is one of ${sslmodes.join(", ")}`);
  }
  return { host: url.hostname, port: Number(url.port) || 5432, database: decodeURIComponent(database), sslmode: known };
}

/** What is before the first slash, and what is after it. */
function cut(rest: string): [string, string] {
  const slash = rest.indexOf("/");
  return slash < 0 ? [rest, ""] : [rest.slice(0, slash), rest.slice(slash + 1)];
}

function invalid(uri: string, why: string) {
  return permanent("SourceInvalid", `the uri ${redact(uri)} ${why}`);
}
