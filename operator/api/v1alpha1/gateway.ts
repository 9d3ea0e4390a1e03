import { z } from "zod";
import { cel, objectName } from "./common.ts";

const hostname = z
  .string()
  .min(1)
  .max(253)
  .regex(/^([*][.])?[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/);

const parentRef = z.strictObject({
  name: objectName.describe("The Gateway's name."),
  namespace: objectName.max(63).optional().describe("The Gateway's namespace. Default: this object's."),
  sectionName: objectName.optional().describe("One listener of the Gateway, by its name. Default: all that match."),
  port: z
    .int()
    .min(1)
    .max(65535)
    .optional()
    .describe(
      "Listeners of the Gateway on this port. Default: any port. To name one Gateway twice by its ports alone needs the Gateway API's experimental channel.",
    ),
});
export type ParentRef = z.output<typeof parentRef>;

const sameGateway =
  "a.name == b.name && (has(a.__namespace__) ? a.__namespace__ : '') == (has(b.__namespace__) ? b.__namespace__ : '')";
const gatewayOf = ({ name, namespace = "" }: ParentRef) => `${namespace}/${name}`;
const keyOf = ({ sectionName = "", port = 0, ...ref }: ParentRef) => `${gatewayOf(ref)}/${sectionName}/${port}`;

/** The same Gateway may stand here twice, with another listener: the rules are those that HTTPRoute has. */
const parentRefs = [
  {
    rule: `self.all(a, self.exists_one(b, ${sameGateway} && (has(a.sectionName) ? a.sectionName : '') == (has(b.sectionName) ? b.sectionName : '') && (has(a.port) ? a.port : 0) == (has(b.port) ? b.port : 0)))`,
    message: "parentRefs must differ in name, namespace, sectionName or port",
    check: (refs: readonly ParentRef[]) => new Set(refs.map(keyOf)).size === refs.length,
  },
  {
    rule: `self.all(a, self.all(b, ${sameGateway} ? has(a.sectionName) == has(b.sectionName) && has(a.port) == has(b.port) : true))`,
    message: "a Gateway that is named twice needs a sectionName each time, or a port each time",
    check: (refs: readonly ParentRef[]) =>
      refs.every((a) =>
        refs.every(
          (b) =>
            gatewayOf(a) !== gatewayOf(b) ||
            ((a.sectionName === undefined) === (b.sectionName === undefined) &&
              (a.port === undefined) === (b.port === undefined)),
        ),
      ),
  },
].reduce(cel, z.array(parentRef).min(1).max(16));

/** The service outside the cluster: a route of the Gateway API. */
export const gateway = z.strictObject({
  parentRefs: parentRefs.describe("The Gateways that take requests for the service."),
  hostnames: z
    .array(hostname)
    .min(1)
    .max(16)
    .describe(
      "The host names that requests are for, such as wine.example.com or *.example.com. The first is in status.url when a Gateway has accepted the route; with https where the Gateway is named by port 443 or by a sectionName that begins with https.",
    ),
});
