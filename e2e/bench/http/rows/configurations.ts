// What each proxy is told: one port, one server, all connections kept, nothing logged. All else is as it comes.

/** Where a proxy listens on 127.0.0.1, and where requests go. */
export interface Passing {
  readonly listenPort: number;
  readonly serverAddress: string;
  readonly serverPort: number;
}

/** More than any run sends on one connection: none of them is closed for its age. */
const noEnd = 1_000_000_000;
/** Room for 10,000 callers that wait, and some more. */
const connections = 10_500;

export const nginxConfiguration = ({ listenPort, serverAddress, serverPort }: Passing): string => `
daemon off;
user root;
pid nginx.pid;
worker_processes 1;
events { worker_connections ${2 * connections}; }
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  # An answer that is larger than its buffers waits for its reader, and is not written to a disk.
  proxy_max_temp_file_size 0;
  keepalive_requests ${noEnd};
  keepalive_timeout 1h;
  upstream server {
    server ${serverAddress}:${serverPort};
    keepalive 256;
    keepalive_requests ${noEnd};
    keepalive_timeout 1h;
  }
  server {
    listen 127.0.0.1:${listenPort} backlog=4096;
    location / {
      proxy_pass http://server;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }
  }
}
`;

export const haproxyConfiguration = ({ listenPort, serverAddress, serverPort }: Passing): string => `
global
  nbthread 1
  maxconn ${connections}
  # It would ask for twice as many files, as if each caller had a connection to the server of its own.
  no strict-limits
defaults
  mode http
  option http-keep-alive
  http-reuse always
  timeout connect 10s
  timeout client 1h
  timeout server 1h
frontend callers
  bind 127.0.0.1:${listenPort} backlog 4096
  default_backend server
backend server
  server one ${serverAddress}:${serverPort} pool-max-conn 256 pool-purge-delay 1h
`;

const socketAddress = (address: string, port: number): object => ({
  socket_address: { address, port_value: port },
});

/** @param matches of routes that are asked before the one for all requests */
export function envoyBootstrap(
  { listenPort, serverAddress, serverPort }: Passing,
  matches: readonly object[],
): Readonly<Record<string, unknown>> {
  const routes = [...matches, { prefix: "/" }].map((match) => ({ match, route: { cluster: "server" } }));
  const router = { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" };
  const manager = {
    "@type":
      "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
    stat_prefix: "callers",
    http_filters: [{ name: "router", typed_config: router }],
    route_config: {
      virtual_hosts: [{ name: "all", domains: ["*"], routes }],
    },
  };
  return {
    static_resources: {
      listeners: [
        {
          name: "callers",
          address: socketAddress("127.0.0.1", listenPort),
          filter_chains: [{ filters: [{ name: "http", typed_config: manager }] }],
        },
      ],
      clusters: [
        {
          name: "server",
          type: "STATIC",
          connect_timeout: "10s",
          load_assignment: {
            cluster_name: "server",
            endpoints: [
              { lb_endpoints: [{ endpoint: { address: socketAddress(serverAddress, serverPort) } }] },
            ],
          },
        },
      ],
    },
  };
}
