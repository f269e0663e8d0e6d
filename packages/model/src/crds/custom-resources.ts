/** How kubectl names and lists a kind. */
export interface CustomResource {
  readonly kind: string;
  readonly group: string;
  readonly plural: string;
  readonly shortNames?: readonly string[];
  /** For `kubectl get CATEGORY`. */
  readonly categories: readonly string[];
  readonly columns?: readonly Column[];
  /** Its conditions are written apart from its specification. */
  readonly hasStatus: boolean;
}

/** What `kubectl get` shows beside the name. */
export interface Column {
  readonly name: string;
  readonly type: "string" | "date";
  readonly jsonPath: string;
  readonly description: string;
}

const age: Column = {
  name: "Age",
  type: "date",
  jsonPath: ".metadata.creationTimestamp",
  description: "How long ago the object was created.",
};

const column = (name: string, jsonPath: string, description: string): Column => ({
  name,
  type: "string",
  jsonPath,
  description,
});

type Rest = Partial<Pick<CustomResource, "shortNames" | "columns">>;

/** A kind of today's Istio; its groups' names are alike. */
const ofToday =
  (area: "networking" | "security" | "extensions") =>
  (kind: string, plural: string, rest: Rest = {}): CustomResource => ({
    kind,
    group: `${area}.istio.io`,
    plural,
    categories: ["istio-io", `${area}-istio-io`],
    hasStatus: true,
    ...rest,
  });

const networking = ofToday("networking");
const security = ofToday("security");
const extensions = ofToday("extensions");

const legacy = (kind: string, plural: string): CustomResource => ({
  kind,
  group: "config.istio.io",
  plural,
  categories: [],
  hasStatus: false,
});

/** The kinds that we read and Kubernetes does not bring, named as Istio names them, of 0.2 and of today. */
export const customResources: readonly CustomResource[] = [
  networking("VirtualService", "virtualservices", {
    shortNames: ["vs"],
    columns: [
      column("Gateways", ".spec.gateways", "The gateways and sidecars that follow the routes."),
      column("Hosts", ".spec.hosts", "The hosts that traffic is sent to."),
      age,
    ],
  }),
  networking("DestinationRule", "destinationrules", {
    shortNames: ["dr"],
    columns: [column("Host", ".spec.host", "The service that the policy is for."), age],
  }),
  networking("ServiceEntry", "serviceentries", {
    shortNames: ["se"],
    columns: [
      column("Hosts", ".spec.hosts", "The hosts of the service."),
      column("Location", ".spec.location", "Whether the service is a part of the mesh."),
      column("Resolution", ".spec.resolution", "How the service's addresses are found."),
      age,
    ],
  }),
  networking("WorkloadEntry", "workloadentries", {
    shortNames: ["we"],
    columns: [age, column("Address", ".spec.address", "The address of the workload.")],
  }),
  networking("Gateway", "gateways", { shortNames: ["gw"] }),
  networking("Sidecar", "sidecars"),
  security("PeerAuthentication", "peerauthentications", {
    shortNames: ["pa"],
    columns: [column("Mode", ".spec.mtls.mode", "Whether mutual TLS is taken, asked for, or neither."), age],
  }),
  extensions("WasmPlugin", "wasmplugins", { columns: [age] }),
  legacy("RouteRule", "routerules"),
  legacy("DestinationPolicy", "destinationpolicies"),
  legacy("EgressRule", "egressrules"),
];
