// A vitest reporter that writes each test's outcome as one line of JSON, with the reason of a skip.
import { appendFileSync } from "node:fs";
import type { Reporter, TestCase, TestModule } from "vitest/node";

export interface Outcome {
  readonly name: string;
  readonly state: "passed" | "failed" | "skipped";
  readonly reason: string;
}

export default class OutcomeReporter implements Reporter {
  private readonly file = process.env["KEELSON_TEST_OUTCOMES"] ?? "/dev/null";

  onTestCaseResult(test: TestCase): void {
    const result = test.result();
    if (result.state === "pending") return;
    const name = `${test.module.relativeModuleId} > ${test.fullName}`;
    this.write({ name, state: result.state, reason: (result.state === "skipped" && result.note) || "" });
  }

  /** A file that cannot even be imported has no tests, and must not pass for that. */
  onTestModuleEnd(module: TestModule): void {
    if (module.errors().length > 0)
      this.write({ name: module.relativeModuleId, state: "failed", reason: "" });
  }

  private write(outcome: Outcome): void {
    appendFileSync(this.file, `${JSON.stringify(outcome)}\n`);
  }
}
