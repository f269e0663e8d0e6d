import { expect, test } from "vitest";
import { parseDemoArguments } from "./arguments.ts";

test("nothing given: the whole demo with its defaults", () => {
  expect(parseDemoArguments([])).toEqual({
    kind: "run",
    options: { once: false, requests: 300, grpcPort: 0, httpPort: 0, world: "demo", sockets: "switch" },
  });
});

test("options of the demo", () => {
  const args = ["--once", "--requests", "60", "--picture", "a.svg", "--http-port=8080", "--world", "other"];
  expect(parseDemoArguments(args)).toEqual({
    kind: "run",
    options: {
      once: true,
      requests: 60,
      picture: "a.svg",
      grpcPort: 0,
      httpPort: 8080,
      world: "other",
      sockets: "switch",
    },
  });
});

test("what is done with sockets", () => {
  expect(parseDemoArguments(["--sockets", "off"])).toMatchObject({ options: { sockets: "off" } });
});

test("send takes a number or none", () => {
  expect(parseDemoArguments(["send"])).toEqual({ kind: "send", world: "demo", requests: 300 });
  expect(parseDemoArguments(["send", "20", "--world", "w"])).toEqual({
    kind: "send",
    world: "w",
    requests: 20,
  });
});

test("what follows exec and a pod is the command's", () => {
  const command = ["curl", "--once", "http://reviews:9080/"] as const;
  const wanted = { kind: "exec", world: "w", pod: "visitor", command };
  expect(parseDemoArguments(["--world", "w", "exec", "visitor", ...command])).toEqual(wanted);
  expect(parseDemoArguments(["--world", "w", "exec", "visitor", "--", ...command])).toEqual(wanted);
});

test.each([
  [["--requests", "0"], '--requests is a whole number from 1 to 100000; found "0"'],
  [["--grpc-port", "70000"], '--grpc-port is a whole number from 0 to 65535; found "70000"'],
  [["--sockets", "on"], '--sockets is one of off, count, switch, queue; found "on"'],
  [["send", "many"], 'found "many"'],
  [["send", "1", "2"], 'found also "2"'],
  [["exec", "visitor"], "exec needs a pod's name and a command"],
  [["fly"], 'there is no command "fly"'],
  [["--onec"], "--onec"],
])("%j is wrong usage", (args, message) => {
  const parsed = parseDemoArguments(args);
  expect(parsed.kind === "wrong" ? parsed.message : "").toContain(message);
});

test("--help goes before all else", () => {
  expect(parseDemoArguments(["send", "--help"])).toEqual({ kind: "help" });
});
