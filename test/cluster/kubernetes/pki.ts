import { generateKeyPairSync, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../command.ts";

/** Who talks to the API server, with the RBAC user and groups that Kubernetes has roles for. */
const identities = {
  admin: { user: "lemnis-admin", groups: ["system:masters"] },
  "kube-controller-manager": { user: "system:kube-controller-manager", groups: [] },
  "kube-scheduler": { user: "system:kube-scheduler", groups: [] },
  "kube-proxy": { user: "system:kube-proxy", groups: [] },
  kubelet: { user: "system:node:lemnis-local", groups: ["system:nodes"] },
  coredns: { user: "lemnis-local:coredns", groups: [] },
};
export type Identity = keyof typeof identities;

/** Files that the API server and its clients need, all in one folder. */
export interface Pki {
  caFile: string;
  caKeyFile: string;
  servingCertFile: string;
  servingKeyFile: string;
  /** With this the API server calls the kubelet. */
  clientCertFile: string;
  clientKeyFile: string;
  serviceAccountKeyFile: string;
  tokenFile: string;
  tokens: Record<Identity, string>;
}

/** Makes what the folder lacks and returns all of it. `addresses` are the names and IPs the API server answers on. */
export async function ensurePki(dir: string, addresses: readonly string[]): Promise<Pki> {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const at = (file: string) => join(dir, file);
  const names = ["kubernetes", "kubernetes.default", "kubernetes.default.svc", "localhost", ...addresses];
  if (!existsSync(at("ca.crt"))) await makeAuthority(dir);
  const serving = `subjectAltName=${names.map(subjectAltName).join(",")}\nextendedKeyUsage=serverAuth`;
  if (!existsSync(at("apiserver.crt"))) await issue(dir, "apiserver", "/CN=kube-apiserver", serving);
  if (!existsSync(at("client.crt"))) {
    await issue(dir, "client", "/O=system:masters/CN=kube-apiserver", "extendedKeyUsage=clientAuth");
  }
  if (!existsSync(at("service-account.key"))) {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
    writeFileSync(at("service-account.key"), privateKey.export({ type: "sec1", format: "pem" }), { mode: 0o600 });
  }
  return {
    caFile: at("ca.crt"),
    caKeyFile: at("ca.key"),
    servingCertFile: at("apiserver.crt"),
    servingKeyFile: at("apiserver.key"),
    clientCertFile: at("client.crt"),
    clientKeyFile: at("client.key"),
    serviceAccountKeyFile: at("service-account.key"),
    tokenFile: at("tokens.csv"),
    tokens: ensureTokens(dir),
  };
}

function subjectAltName(name: string): string {
  return /^[\d.]+$/.test(name) ? `IP:${name}` : `DNS:${name}`;
}

/** A line of kube-apiserver's static token file: token, user, uid, groups. */
export function tokenLine(token: string, user: string, groups: readonly string[]): string {
  return `${token},${user},${user},"${groups.join(",")}"\n`;
}

function ensureTokens(dir: string): Record<Identity, string> {
  const file = join(dir, "tokens.json");
  if (!existsSync(file)) {
    const fresh = Object.fromEntries(Object.keys(identities).map((name) => [name, randomBytes(24).toString("hex")]));
    writeFileSync(file, JSON.stringify(fresh), { mode: 0o600 });
  }
  const tokens = JSON.parse(readFileSync(file, "utf8")) as Record<Identity, string>;
  const lines = Object.entries(identities).map(([name, { user, groups }]) =>
    tokenLine(tokens[name as Identity], user, groups),
  );
  writeFileSync(join(dir, "tokens.csv"), lines.join(""), { mode: 0o600 });
  return tokens;
}

const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

async function makeAuthority(dir: string): Promise<void> {
  const extensions = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign,digitalSignature";
  await openssl(dir, "ca", "/CN=lemnis-local-ca", extensions, []);
}

async function issue(dir: string, name: string, subject: string, extensions: string): Promise<void> {
  const signer = ["-CA", join(dir, "ca.crt"), "-CAkey", join(dir, "ca.key")];
  await openssl(dir, name, subject, `basicConstraints=CA:FALSE\n${extensions}`, signer);
}

async function openssl(dir: string, name: string, subject: string, extensions: string, signer: string[]) {
  const config = join(dir, `${name}.cnf`);
  writeFileSync(config, `[req]\ndistinguished_name=dn\nx509_extensions=ext\n[dn]\n[ext]\n${extensions}\n`);
  const files = ["-keyout", join(dir, `${name}.key`), "-out", join(dir, `${name}.crt`)];
  await run("openssl", [
    "req",
    "-x509",
    ...newKey,
    "-days",
    "3650",
    "-subj",
    subject,
    "-config",
    config,
    ...signer,
    ...files,
  ]);
}
