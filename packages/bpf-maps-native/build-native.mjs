// Builds build/bpf_maps_native.node and build/descriptor-holder with plain g++; does nothing when no source changed since.
// KEELSON_NATIVE_SANITIZE=address builds with that sanitizer, for a run by hand.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const sources = join(here, "native");
const holder = join(here, "holder");
const objects = join(here, "build", "native");
const output = join(here, "build", "bpf_maps_native.node");

/** The folder of an npm package that holds headers. */
function headersOf(name, folder) {
  return join(dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)), folder);
}

function flags() {
  const sanitizer = process.env.KEELSON_NATIVE_SANITIZE;
  const language = "-std=c++17 -O2 -g -fPIC -fvisibility=hidden -pthread";
  const warnings = "-Wall -Wextra -Werror -Wno-missing-field-initializers";
  // Unthrowable: in a worker thread that is being terminated no exception can be thrown, which is not our failure.
  const api =
    "-DNAPI_VERSION=8 -DNAPI_CPP_EXCEPTIONS -DNODE_ADDON_API_DISABLE_DEPRECATED -DNODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS";
  const headers = [
    "-isystem",
    headersOf("node-api-headers", "include"),
    "-isystem",
    headersOf("node-addon-api", "."),
  ];
  const options = `${language} ${warnings} ${api}`.split(" ").concat(headers);
  return sanitizer ? options.concat(`-fsanitize=${sanitizer}`) : options;
}

/** What the outcome depends on, as a hash: sources, flags, this file. */
function fingerprint(names, options) {
  const hash = createHash("sha256")
    .update(readFileSync(fileURLToPath(import.meta.url)))
    .update(options.join("\0"));
  for (const name of names) hash.update(name).update(readFileSync(join(sources, name)));
  for (const name of readdirSync(holder).sort()) hash.update(name).update(readFileSync(join(holder, name)));
  return hash.digest("hex");
}

function run(command, parameters) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, parameters, { stdio: "inherit" });
    child.on("error", reject);
    child.on("exit", (code) =>
      code === 0 ? resolve() : reject(new Error(`${command} failed with ${code}`)),
    );
  });
}

async function compileAll(names, options) {
  const queue = names.filter((name) => name.endsWith(".cc"));
  const worker = async () => {
    for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
      await run("g++", [...options, "-c", join(sources, name), "-o", join(objects, `${name}.o`)]);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
}

function read(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

const names = readdirSync(sources).sort();
const options = flags();
const stamp = fingerprint(names, options);
if (read(`${output}.stamp`) !== stamp) {
  rmSync(objects, { recursive: true, force: true });
  mkdirSync(objects, { recursive: true });
  await compileAll(names, options);
  const files = names.filter((name) => name.endsWith(".cc")).map((name) => join(objects, `${name}.o`));
  // Written aside and moved: a process that has the old one mapped keeps it whole.
  await run("g++", ["-shared", ...options, ...files, "-lbpf", "-o", `${output}.new`]);
  renameSync(`${output}.new`, output);
  const program = join(here, "build", "descriptor-holder");
  await run("g++", [...options, join(holder, "descriptor-holder.cc"), "-o", `${program}.new`]);
  renameSync(`${program}.new`, program);
  writeFileSync(`${output}.stamp`, stamp);
}
