import { readFileSync } from "node:fs";
import { ensurePki } from "../cluster/kubernetes/pki.ts";

export interface Certificate {
  /** What clients must trust. */
  ca: string;
  cert: string;
  key: string;
  certFile: string;
  keyFile: string;
}

/** A certificate for the address and localhost, of an authority of its own. */
export async function makeCertificate(folder: string, address = "127.0.0.1"): Promise<Certificate> {
  const { caFile, servingCertFile: certFile, servingKeyFile: keyFile } = await ensurePki(folder, [address]);
  const read = (file: string) => readFileSync(file, "utf8");
  return { ca: read(caFile), cert: read(certFile), key: read(keyFile), certFile, keyFile };
}
