/** Where bytes are read from: the uri, and what goes with its scheme. */
import { z } from "zod";
import { type CelRule, cel, secretRef } from "./common.ts";

/** Schemes that one file or a folder of files can be read from. */
const fileSchemes = ["http", "https", "s3", "gs", "az", "git+https", "git+ssh", "oci", "pvc", "configmap"];
const sourceSchemes = [...fileSchemes, "postgres"];

function uriOf(schemes: readonly string[]) {
  const alternatives = schemes.map((scheme) => scheme.replace("+", "[+]")).join("|");
  const listed = schemes.map((scheme) => `${scheme}://`);
  const begin = new RegExp(`^(${alternatives})://[^/ ?#]`);
  return [
    {
      rule: `self.matches('^(${alternatives})://[^/ ?#]')`,
      message: `must be a uri that begins with ${listed.slice(0, -1).join(", ")} or ${listed.at(-1)}`,
      check: (value: string) => begin.test(value),
    },
    {
      rule: `!self.matches('[[:cntrl:] \\\\\\\\]')`,
      message: "must not hold spaces, backslashes or control characters",
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
      check: (value: string) => !/[\u0000-\u001f\u007f \\]/.test(value),
    },
    {
      rule: `!self.matches('/[.][.](/|$)')`,
      message: "must not hold .. segments",
      check: (value: string) => !/\/\.\.(\/|$)/.test(value),
    },
    {
      // git+ssh names the user to log in as, which is no secret.
      rule: `self.startsWith('git+ssh://') ? !self.matches('^[a-z0-9+]+://[^/]*:[^/]*@') : !self.matches('^[a-z0-9+]+://[^/]*@')`,
      message: "must not hold a user or password: put credentials into a Secret and name it in secretRef",
      check: (value: string) =>
        value.startsWith("git+ssh://")
          ? !/^[a-z0-9+]+:\/\/[^/]*:[^/]*@/.test(value)
          : !/^[a-z0-9+]+:\/\/[^/]*@/.test(value),
    },
  ].reduce(cel, z.string().min(1).max(2048));
}

/** Where a model's files are. */
export const artifactUri = uriOf(fileSchemes);
/** Where data is. */
export const sourceUri = uriOf(sourceSchemes);

export const access = {
  endpoint: z
    .string()
    .max(1024)
    .regex(/^https?:\/\/[^/ ]+\/?$/)
    .optional()
    .describe(
      "The object store's server, such as http://minio.minio.svc:9000. Default: the public service of AWS, Google Cloud or Azure. Only with s3://, gs:// and az://.",
    ),
  region: z.string().min(1).max(63).optional().describe("The bucket's region. Default: us-east-1. Only with s3://."),
  secretRef: secretRef
    .optional()
    .describe(
      "A Secret with the credentials, mounted in the pod that reads and never read by the operator. Keys: s3 and gs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; az AZURE_STORAGE_KEY or AZURE_STORAGE_SAS_TOKEN; http(s), git+https and oci token, or username and password; git+ssh ssh-privatekey and known_hosts; postgres username and password. ca.crt beside them is trusted for TLS. Default: read without credentials. Not with pvc:// and configmap://.",
    ),
};

const gitAccess = {
  ref: z
    .string()
    .min(1)
    .max(256)
    .regex(/^[A-Za-z0-9][A-Za-z0-9._/+-]*$/)
    .optional()
    .describe(
      "A branch, tag or full commit of the repository. Default: its default branch. Only with git+https:// and git+ssh://.",
    ),
  path: z
    .string()
    .min(1)
    .max(1024)
    .regex(/^[^/\\]+(\/[^/\\]+)*\/?$/)
    .optional()
    .describe("A file or folder in the repository. Default: all of it. Only with git+https:// and git+ssh://."),
};

interface Location {
  uri: string;
  endpoint?: unknown;
  region?: unknown;
  secretRef?: unknown;
  ref?: unknown;
  path?: string | undefined;
  query?: unknown;
}

const starts = ({ uri }: Location, ...schemes: string[]) => schemes.some((scheme) => uri.startsWith(`${scheme}://`));

const accessRules: CelRule<Location>[] = [
  {
    rule: "!has(self.endpoint) || self.uri.matches('^(s3|gs|az)://')",
    message: "endpoint goes with an s3://, gs:// or az:// uri only",
    check: (value) => value.endpoint === undefined || starts(value, "s3", "gs", "az"),
  },
  {
    rule: "!has(self.region) || self.uri.startsWith('s3://')",
    message: "region goes with an s3:// uri only",
    check: (value) => value.region === undefined || starts(value, "s3"),
  },
  {
    rule: "!has(self.secretRef) || !self.uri.matches('^(pvc|configmap)://')",
    message: "secretRef does not go with a pvc:// or configmap:// uri, which need none",
    check: (value) => value.secretRef === undefined || !starts(value, "pvc", "configmap"),
  },
];

/** Adds the rules of what goes with which uri. */
export function withAccessRules<S extends z.ZodType<Location>>(schema: S): S {
  return accessRules.reduce((result, rule) => cel(result, rule as CelRule<z.output<S>>), schema);
}

const sourceRules: CelRule<Location>[] = [
  {
    rule: "!(has(self.ref) || has(self.path)) || self.uri.matches('^git[+](https|ssh)://')",
    message: "ref and path go with a git+https:// or git+ssh:// uri only",
    check: ({ uri, ref, path }) => (ref === undefined && path === undefined) || /^git\+(https|ssh):\/\//.test(uri),
  },
  {
    rule: "!has(self.path) || !self.path.matches('(^|/)[.][.]?(/|$)')",
    message: "path must not hold . or .. segments",
    check: ({ path }) => path === undefined || !/(^|\/)\.\.?(\/|$)/.test(path),
  },
  {
    rule: "has(self.query) == self.uri.startsWith('postgres://')",
    message: "query goes with a postgres:// uri, which needs one",
    check: ({ uri, query }) => (query !== undefined) === uri.startsWith("postgres://"),
  },
];

/** A Dataset's source. */
export const source = sourceRules.reduce(
  cel,
  withAccessRules(
    z.strictObject({
      uri: sourceUri.describe(
        "Where the data is: http(s)://host/file, s3://bucket/key (a prefix that ends in /, or a glob such as day=*/part-*.csv), gs://bucket/key, az://account/container/blob, git+https://host/repository, git+ssh://user@host/repository, oci://registry/repository:tag, pvc://claim/path, configmap://name/key, postgres://host:5432/database.",
      ),
      ...access,
      ...gitAccess,
      query: z
        .string()
        .min(1)
        .max(16384)
        .optional()
        .describe(
          "The SELECT whose rows are the data, read in one transaction. Only with postgres://, which needs it.",
        ),
    }),
  ),
);
