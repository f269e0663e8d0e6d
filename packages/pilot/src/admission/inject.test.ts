import fastify from "fastify";
import { Registry } from "prom-client";
import { expect, onTestFinished, test } from "vitest";
import { addInjection, InjectionMetrics } from "./add-injection.ts";
import { injectNothing } from "./inject.ts";

const kind = { group: "", version: "v1", kind: "Pod" };
const request = (metadata: object, spec: object = {}, namespace = "shop") => ({
  uid: "1",
  operation: "CREATE",
  kind,
  name: "",
  namespace,
  object: { metadata, spec },
});
const inject = (value: string) => ({ "sidecar.istio.io/inject": value });

test.each([
  ["says nothing", request({}), 1],
  ["asks for one", request({ labels: inject("true"), annotations: inject("false") }), 1],
  ["wants none by its label", request({ labels: inject("false"), annotations: inject("true") }), 0],
  ["wants none by its annotation", request({ annotations: inject("no") }), 0],
  ["has one", request({ annotations: { "sidecar.istio.io/status": "{}" } }), 0],
  ["is on its node's network", request({}, { hostNetwork: true }), 0],
  ["is Kubernetes' own", request({}, {}, "kube-system"), 0],
  ["is none", { ...request({}), kind: { ...kind, kind: "Deployment" } }, 0],
])("a pod that %s is let through, with a warning or without", (_, asked, warnings) => {
  expect(injectNothing(asked)).toEqual({
    allowed: true,
    warnings: Array.from({ length: warnings }, () => expect.stringMatching(/^no sidecar was injected/)),
  });
});

test("a container that waits for an injector's image is named", () => {
  const { warnings } = injectNothing(request({}, { containers: [{ name: "istio-proxy", image: "auto" }] }));
  expect(warnings[1]).toMatch(/^container "istio-proxy" has the image "auto"/);
  // Kubernetes shows no more of a warning.
  for (const warning of warnings) expect(warning.length).toBeLessThanOrEqual(256);
});

test("reviews are answered on all of istiod's paths, and the log has each namespace once", async () => {
  const server = fastify();
  onTestFinished(() => server.close());
  const registry = new Registry();
  const lines: object[] = [];
  addInjection(server, new InjectionMetrics(registry), { warn: (line: object) => lines.push(line) });
  const review = (namespace: string) => ({
    apiVersion: "admission.k8s.io/v1",
    kind: "AdmissionReview",
    request: request({}, {}, namespace),
  });
  for (const [url, namespace] of [
    ["/inject", "a"],
    ["/inject/cluster/one/net/two", "a"],
    ["/inject", "b"],
  ] as const) {
    const answer = await server.inject({ method: "POST", url, payload: review(namespace) });
    expect(answer.json()).toMatchObject({ response: { uid: "1", allowed: true } });
  }
  expect((await server.inject({ method: "POST", url: "/inject", payload: {} })).statusCode).toBe(400);
  expect(lines).toEqual([{ namespace: "a" }, { namespace: "b" }]);
  expect(await registry.metrics()).toContain("sidecar_injection_requests_total 3");
});
