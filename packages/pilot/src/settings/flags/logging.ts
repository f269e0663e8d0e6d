import { accepted, honoured, istiod, newAges, oldAges, only02, only07 } from "../setting.ts";

/** What is logged, how and where. */
export const loggingFlags = {
  log_output_level: honoured(
    "string",
    "",
    newAges,
    "least level that is logged: debug, info, warn, error, fatal or none; or scope:level,scope:level (all: every scope)",
  ),
  log_as_json: honoured("bool", "false", newAges, "log a JSON object a line instead of text"),
  log_target: honoured("list", "stdout", newAges, "where the log goes: stdout, stderr, or a file's path"),
  log_stacktrace_level: accepted(
    "string",
    "default:none",
    newAges,
    "least level that is logged with a stack trace",
  ),
  log_caller: accepted("string", "", istiod, "scopes that are logged with the place in the code"),
  log_callers: accepted("bool", "false", only07, "log the place in the code"),
  log_rotate: accepted("string", "", only07, "file that the log rotates in"),
  log_rotate_max_age: accepted("int", "30", only07, "days that a rotated file is kept"),
  log_rotate_max_size: accepted("int", "104857600", only07, "bytes after which the file is rotated"),
  log_rotate_max_backups: accepted("int", "1000", only07, "rotated files that are kept"),
  vklog: accepted("int", "0", istiod, "how much Kubernetes' Go client says"),
  v: accepted("int", "0", oldAges, "how much is said, as glog counts; see --log_output_level", {
    short: "v",
  }),
  vmodule: accepted("string", "", only02, "as -v, by source file"),
  log_backtrace_at: accepted(
    "string",
    ":0",
    only02,
    "line of the source code that is logged with a stack trace",
  ),
  logtostderr: accepted("bool", "false", only07, "see --log_target"),
  alsologtostderr: accepted("bool", "false", only07, "see --log_target"),
  stderrthreshold: accepted("string", "", only07, "see --log_target"),
};
