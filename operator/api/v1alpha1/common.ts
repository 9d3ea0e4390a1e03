/** Pieces that several kinds are made of. Descriptions here are what `kubectl explain` prints. */
import { z } from "zod";
import { durationPattern } from "./duration.ts";

export const group = "lemnis.dev";
export const version = "v1alpha1";
export const apiVersion = `${group}/${version}` as const;

/** A rule that spans fields: the same check in the API server (CEL) and in zod. */
export interface CelRule<T> {
  rule: string;
  message: string;
  check: (value: T) => boolean;
}

/** Adds a cross-field rule. The only way to state one, so that CRD and zod can't disagree (see docs/decisions). */
export function cel<S extends z.ZodType>(schema: S, { rule, message, check }: CelRule<z.output<S>>): S {
  const meta = schema.meta() ?? {};
  const rules = (meta["x-kubernetes-validations"] as object[] | undefined) ?? [];
  return schema
    .refine(check as (value: unknown) => boolean, message)
    .meta({ ...meta, "x-kubernetes-validations": [...rules, { rule, message }] });
}

/** A list whose items are told apart by these keys; server-side apply merges it by them. */
export function listMap<S extends z.ZodType>(schema: S, keys: readonly string[]): S {
  return schema.meta({
    ...schema.meta(),
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": keys,
  });
}

export const dnsName = z
  .string()
  .min(1)
  .max(63)
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/);
export const objectName = z
  .string()
  .min(1)
  .max(253)
  .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/);
export const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);
const envName = z
  .string()
  .min(1)
  .max(128)
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/);

export const secretRef = z.strictObject({
  name: objectName.describe("Name of the Secret, in this object's namespace."),
});

const quantityPattern = /^[0-9]+([.][0-9]+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$/;
export const quantity = z
  .union([z.int(), z.string().max(32).regex(quantityPattern)])
  .meta({ "x-kubernetes-int-or-string": true, maxLength: 32, pattern: quantityPattern.source });

/** A map whose keys are DNS labels. The API server checks keys by CEL alone. */
export function namedMap<V extends z.ZodType>(value: V, maxProperties: number) {
  return cel(z.record(z.string().max(63), value).meta({ maxProperties }), {
    rule: "self.all(name, name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$') && size(name) <= 63)",
    message: "names must be at most 63 lower-case letters, digits or -, and begin and end with a letter or digit",
    check: (map) => Object.keys(map).every((name) => dnsName.safeParse(name).success),
  });
}

const quantities = z.record(z.string().max(253), quantity).meta({ maxProperties: 16 });

export const resources = z.strictObject({
  requests: quantities.optional().describe("What the scheduler sets aside, such as {cpu: 500m, memory: 1Gi}."),
  limits: quantities.optional().describe("What the container may use at the most."),
});
export type Resources = z.infer<typeof resources>;

const keyRef = z.strictObject({
  name: objectName.describe("The object's name."),
  key: z.string().min(1).max(253).describe("The key in its data."),
});
const envVar = cel(
  z.strictObject({
    name: envName.describe("The variable's name."),
    value: z.string().max(32768).optional().describe("Its value; $(OTHER) is replaced by an earlier variable's."),
    valueFrom: z
      .strictObject({
        secretKeyRef: keyRef.optional().describe("A key of a Secret in the pod's namespace."),
        configMapKeyRef: keyRef.optional().describe("A key of a ConfigMap in the pod's namespace."),
      })
      .optional()
      .describe("Where the value comes from instead."),
  }),
  {
    rule: "!(has(self.value) && has(self.valueFrom))",
    message: "give value or valueFrom, not both",
    check: (env) => !(env.value !== undefined && env.valueFrom !== undefined),
  },
);

export const container = z.strictObject({
  image: z.string().min(1).max(1024).describe("The container image."),
  imagePullPolicy: z.enum(["Always", "IfNotPresent", "Never"]).optional().describe("Default: as Kubernetes chooses."),
  command: z.array(z.string().max(32768)).max(64).optional().describe("Replaces the image's entry point."),
  args: z.array(z.string().max(32768)).max(256).optional().describe("Arguments to the command."),
  workingDir: z.string().max(1024).optional().describe("The folder that the command starts in."),
  env: listMap(z.array(envVar).max(128), ["name"]).optional().describe("Environment variables."),
});
export type Container = z.infer<typeof container>;

const toleration = z.strictObject({
  key: z.string().max(253).optional().describe("The taint's key. Default: all keys, with operator Exists."),
  operator: z.enum(["Exists", "Equal"]).optional().describe("Whether the value counts. Default: Equal."),
  value: z.string().max(253).optional().describe("The taint's value, with operator Equal."),
  effect: z
    .enum(["NoSchedule", "PreferNoSchedule", "NoExecute"])
    .optional()
    .describe("The taint's effect. Default: all effects."),
});

/** What a pod of ours takes from the user beside its container. */
export const podSettings = {
  imagePullSecrets: listMap(z.array(secretRef).max(16), ["name"])
    .optional()
    .describe("Secrets to pull the images with."),
  nodeSelector: z
    .record(z.string().max(253), z.string().max(63))
    .meta({ maxProperties: 32 })
    .optional()
    .describe("Labels that the node must have."),
  tolerations: z.array(toleration).max(32).optional().describe("Taints that the pod tolerates."),
  runAsUser: z
    .int()
    .min(1)
    .max(2147483647)
    .optional()
    .describe("User id that the containers run as, and the group that owns their volumes. Default: 1000."),
};

export const condition = z.strictObject({
  type: z.string().max(316).describe("What is stated."),
  status: z.enum(["True", "False", "Unknown"]).describe("Whether it holds."),
  reason: z.string().max(1024).describe("Why, in one word; docs/concepts.md explains each."),
  message: z.string().max(32768).describe("Why, in words, and what to do."),
  observedGeneration: z.int().optional().describe("The generation of the spec that it speaks of."),
  lastTransitionTime: z.string().max(64).describe("When the status last changed."),
});
export type Condition = z.infer<typeof condition>;

/** Status members that every kind has. */
export const commonStatus = {
  observedGeneration: z.int().optional().describe("The generation of the spec that this status speaks of."),
  conditions: listMap(z.array(condition).max(16), ["type"])
    .optional()
    .describe("Ready, Reconciling and Stalled by the kstatus rules, then the kind's own."),
};

export const duration = z.string().max(32).regex(durationPattern);

export const metricValues = z.record(z.string().max(128), z.number()).meta({ maxProperties: 64 });

export interface ObjectMeta {
  name: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
}
