/** Settings of the three programs, read from the environment. */
import { z } from "zod";
import { task } from "./agent/tasks.ts";

const logLevel = z.enum(["trace", "debug", "info", "warn", "error"]).default("info");
const port = z.coerce.number().int().min(0).max(65535);
const identity = z.string().regex(/^[^/]+\/[^/]+$/, "must be <namespace>/<service account>");

/** Networks in CIDR notation, with commas between them. */
const networks = z
  .string()
  .default("")
  .transform((text) =>
    text
      .split(",")
      .map((part) => part.trim())
      .filter((part) => part !== ""),
  )
  .pipe(
    z.array(z.union([z.cidrv4(), z.cidrv6()], { error: "must be networks such as 10.0.0.0/8, with commas between" })),
  );

const operatorSettings = z.object({
  LEMNIS_STORE_URL: z.url(),
  LEMNIS_STORE_TOKEN_FILE: z.string().min(1),
  LEMNIS_AGENT_IMAGE: z.string().min(1),
  LEMNIS_AGENT_IMAGE_PULL_POLICY: z.enum(["Always", "IfNotPresent", "Never"]).default("IfNotPresent"),
  /** Kubernetes sets these two in every pod; elsewhere, and where KUBECONFIG is set, the kubeconfig counts. */
  KUBERNETES_SERVICE_HOST: z.string().min(1).optional(),
  KUBERNETES_SERVICE_PORT: z.string().default("443"),
  KUBECONFIG: z.string().optional(),
  LEMNIS_SERVICE_ACCOUNT_DIR: z.string().default("/var/run/secrets/kubernetes.io/serviceaccount"),
  POD_NAMESPACE: z.string().min(1),
  POD_NAME: z.string().min(1),
  LEMNIS_LOG_LEVEL: logLevel,
  LEMNIS_METRICS_PORT: port.default(8081),
  LEMNIS_RELIST_SECONDS: z.coerce.number().int().min(1).default(1800),
  LEMNIS_WEBHOOK_PORT: port.default(8082),
  LEMNIS_DENIED_RANGES: networks,
  LEMNIS_DRAIN_SECONDS: z.coerce.number().int().min(0).max(3600).default(30),
});
export type OperatorSettings = z.output<typeof operatorSettings>;

function isEncoded(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

const sslmodes = [null, "verify-full", "require", "disable"];
/** Holds a password: no message repeats it. */
const postgresUrl = z.string().refine((text) => {
  const url = URL.parse(text);
  if (!url || !/^postgres(ql)?:$/.test(url.protocol) || !isEncoded(url.username + url.password + url.pathname))
    return false;
  const { hostname, username, pathname, searchParams } = url;
  return hostname !== "" && username !== "" && pathname.length > 1 && sslmodes.includes(searchParams.get("sslmode"));
}, "must be postgres://user:password@host:5432/database, percent-encoded, with ?sslmode=verify-full (the default), require or disable");

const storeSettings = z.object({
  LEMNIS_STORE_DIR: z.string().min(1),
  LEMNIS_STORE_PORT: port.default(8080),
  LEMNIS_STORE_POSTGRESQL_URL: postgresUrl.optional(),
  LEMNIS_STORE_POSTGRESQL_CA: z.string().startsWith("-----BEGIN CERTIFICATE-----", "must be PEM").optional(),
  LEMNIS_OPERATOR_SERVICE_ACCOUNT: identity,
  /** Kubernetes sets these two in every pod. */
  KUBERNETES_SERVICE_HOST: z.string().min(1),
  KUBERNETES_SERVICE_PORT: z.string().min(1),
  LEMNIS_LOG_LEVEL: logLevel,
});
export type StoreSettings = z.output<typeof storeSettings>;

const agentSettings = z.object({
  LEMNIS_STORE_URL: z.url(),
  LEMNIS_TASK: z
    .string()
    .transform((text) => JSON.parse(text) as unknown)
    .pipe(task),
  LEMNIS_LOG_LEVEL: logLevel,
});
export type AgentSettings = z.output<typeof agentSettings>;

type Environment = Readonly<Record<string, string | undefined>>;

export const readOperatorSettings = (environment: Environment): OperatorSettings => read(operatorSettings, environment);
export const readStoreSettings = (environment: Environment): StoreSettings => read(storeSettings, environment);
export const readAgentSettings = (environment: Environment): AgentSettings => read(agentSettings, environment);

/** Throws an error that names every variable that is wrong, and what it must be. */
function read<S extends z.ZodType>(schema: S, environment: Environment): z.output<S> {
  const parsed = schema.safeParse(environment);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
  throw new Error(`bad settings in the environment: ${problems.join("; ")}`);
}
