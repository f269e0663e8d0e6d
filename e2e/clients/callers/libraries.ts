import { join } from "node:path";
import { command } from "../../world/command.ts";
import { goProgram } from "../go-program.ts";
import { missingPrograms } from "../missing-program.ts";
import type { Caller } from "./caller.ts";
import { runTasks } from "./tasks.ts";

const programs = join(import.meta.dirname, "programs");
const build = join(import.meta.dirname, "..", "build");

export const nodeFetch: Caller = {
  name: "Node fetch",
  missing: () => Promise.resolve(undefined),
  run: (place, base, steps) =>
    runTasks(place, [process.execPath, join(programs, "node-fetch.ts"), base], steps, ({ expect }) =>
      expect === true ? "fetch refuses the header Expect" : undefined,
    ),
};

export const pythonRequests: Caller = {
  name: "Python requests",
  async missing() {
    const python = await missingPrograms("Debian package python3-requests", "python3");
    if (python !== undefined) return python;
    return command("python3", ["-c", "import requests"]).then(
      () => undefined,
      () => "Python has no requests (Debian package python3-requests)",
    );
  },
  run: (place, base, steps) =>
    runTasks(place, ["python3", join(programs, "requests_caller.py"), base], steps, ({ expect }) =>
      expect === true ? "requests sends a body at once" : undefined,
    ),
};

export const goNetHttp: Caller = {
  name: "Go net/http",
  missing: () => missingPrograms("go.dev, or Debian package golang", "go"),
  run: async (place, base, steps) =>
    runTasks(place, [await goProgram(join(programs, "go"), "caller"), base], steps),
};

export const javaHttpClient: Caller = {
  name: "Java HttpClient",
  missing: () => missingPrograms("Debian package default-jdk-headless", "java", "javac"),
  async run(place, base, steps) {
    await command("javac", ["-d", build, join(programs, "Caller.java")]);
    return runTasks(place, ["java", "-cp", build, "Caller", base], steps);
  },
};
