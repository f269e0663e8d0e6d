import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { byteSizes, pattern } from "../steps.ts";

const configuration = (port: number): string => `
daemon off;
user root;
pid nginx.pid;
worker_processes 2;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path body;
  default_type text/plain;
  absolute_redirect off;
  server {
    listen [::]:${port} ipv6only=off;
    root files;
    location = /status/204 { return 204; }
    location = /status/304 { return 304; }
    location = /redirect/3 { return 302 /redirect/2; }
    location = /redirect/2 { return 302 /redirect/1; }
    location = /redirect/1 { return 302 /bytes/128; }
    location /target/ { return 200 $request_uri; }
    location = /header { return 200 $http_x_test; }
  }
}
`;

/** Writes what it hands out. */
export async function nginxCommand(port: number, folder: string): Promise<[string, ...string[]]> {
  await mkdir(join(folder, "files", "bytes"), { recursive: true });
  for (const size of byteSizes) await writeFile(join(folder, "files", "bytes", String(size)), pattern(size));
  const file = join(folder, "nginx.conf");
  await writeFile(file, configuration(port));
  return ["nginx", "-p", folder, "-e", "stderr", "-c", file];
}
