import { describe, expect, it } from "vitest";
import { readAgentSettings, readOperatorSettings, readStoreSettings } from "./config.ts";

const operator = {
  LEMNIS_STORE_URL: "http://lemnis-store:8080",
  LEMNIS_STORE_TOKEN_FILE: "/var/run/secrets/lemnis/token/token",
  LEMNIS_AGENT_IMAGE: "lemnis:1",
  POD_NAMESPACE: "lemnis-system",
  POD_NAME: "lemnis-0",
};

describe("settings", () => {
  it("fills defaults", () => {
    const settings = readOperatorSettings(operator);
    expect(settings).toMatchObject({ LEMNIS_METRICS_PORT: 8081, LEMNIS_DRAIN_SECONDS: 30, LEMNIS_LOG_LEVEL: "info" });
  });

  it("names every variable that is wrong", () => {
    const bad = { ...operator, LEMNIS_STORE_URL: "nowhere", LEMNIS_DRAIN_SECONDS: "-1" };
    expect(() => readOperatorSettings(bad)).toThrow(/LEMNIS_STORE_URL.*LEMNIS_DRAIN_SECONDS/);
    expect(() => readStoreSettings({ LEMNIS_STORE_DIR: "/x", LEMNIS_OPERATOR_SERVICE_ACCOUNT: "x" })).toThrow(
      /LEMNIS_OPERATOR_SERVICE_ACCOUNT: must be <namespace>\/<service account>/,
    );
  });

  it("reads networks, and refuses what is none", () => {
    const read = (text: string) => readOperatorSettings({ ...operator, LEMNIS_DENIED_RANGES: text });
    expect(read("").LEMNIS_DENIED_RANGES).toEqual([]);
    expect(read("10.0.0.0/8, fd00::/8").LEMNIS_DENIED_RANGES).toEqual(["10.0.0.0/8", "fd00::/8"]);
    for (const wrong of ["10.0.0.0", "10.0.0.0/33", "intranet", "10.0.0.0/8;fd00::/8"])
      expect(() => read(wrong)).toThrow(/LEMNIS_DENIED_RANGES\.0: must be networks/);
  });

  it("reads the address of a PostgreSQL, and refuses what is none without repeating it", () => {
    const store = {
      ...{ LEMNIS_STORE_DIR: "/x", LEMNIS_OPERATOR_SERVICE_ACCOUNT: "a/b" },
      ...{ KUBERNETES_SERVICE_HOST: "h", KUBERNETES_SERVICE_PORT: "443" },
    };
    const read = (url: string) => readStoreSettings({ ...store, LEMNIS_STORE_POSTGRESQL_URL: url });
    for (const right of ["postgres://u:p%40@host/db", "postgresql://u:p@[::1]:5433/db?sslmode=disable"])
      expect(read(right).LEMNIS_STORE_POSTGRESQL_URL).toBe(right);
    const wrong = ["u:secret@host/db", "mysql://u:secret@host/db", "postgres://host/db", "postgres://u:secret@host"];
    for (const url of [...wrong, "postgres://u:secret%@host/db", "postgres://u:secret@host/db?sslmode=prefer"]) {
      expect(() => read(url)).toThrow(/LEMNIS_STORE_POSTGRESQL_URL: must be postgres:\/\/user:password@host:5432/);
      expect(() => read(url)).not.toThrow(/secret/);
    }
  });

  it("refuses a task that is none", () => {
    const environment = { LEMNIS_STORE_URL: "http://s:1", LEMNIS_TASK: '{"verb":"dance"}' };
    expect(() => readAgentSettings(environment)).toThrow(/LEMNIS_TASK/);
  });
});
