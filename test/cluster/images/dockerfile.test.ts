import { expect, test } from "vitest";
import { readDockerfile } from "./dockerfile.ts";

test("bases come from FROM with its arguments, without the file's own stages", () => {
  const text = `
# FROM commented:out
ARG NODE_IMAGE=docker.io/library/node:24-bookworm-slim
FROM --platform=linux/amd64 \${NODE_IMAGE} AS build
FROM build AS more
FROM scratch
`;
  expect(readDockerfile(text).bases).toEqual(["docker.io/library/node:24-bookworm-slim"]);
  expect(readDockerfile(text, { NODE_IMAGE: "localhost/mine" }).bases).toEqual(["localhost/mine"]);
});

test("sources are what COPY and ADD take from the context", () => {
  const text = `FROM scratch
ARG DIR=src
COPY --chown=1:1 package.json package-lock.json \\
  ./
COPY --from=build /out /out
copy ["a b.txt", "/to/"]
ADD https://example.com/x.tar /x
ADD $DIR/lib /lib
`;
  expect(readDockerfile(text).sources).toEqual(["package.json", "package-lock.json", "a b.txt", "src/lib"]);
});

test("an argument without a default has the value that the build gives it", () => {
  expect(readDockerfile("ARG BASE\nFROM $BASE", { BASE: "x" }).bases).toEqual(["x"]);
  expect(readDockerfile('ARG TAG="1"\nARG BASE=x:$TAG\nFROM $BASE').bases).toEqual(["x:1"]);
});
