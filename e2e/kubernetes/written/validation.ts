import { expect } from "vitest";
import { peerTest } from "../../peers/peer-test.ts";
import { until } from "../../world/until.ts";
import {
  configuration,
  ownConfiguration,
  writingPeers as peers,
  type WritingWorld,
} from "./writing-world.ts";

const configurations = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
const gateways = "/apis/networking.istio.io/v1/namespaces/istio-system/gateways";

/** The API server asks before it takes a rule, and is told how it reaches who answers. */
export function validationTests(world: () => WritingWorld): void {
  interface Webhook {
    readonly failurePolicy: string;
    readonly clientConfig: { readonly caBundle?: string };
  }

  async function webhookOf(name: string): Promise<Webhook | undefined> {
    const { text } = await world().client.get(`${configurations}/${name}`);
    return (JSON.parse(text) as { webhooks: readonly Webhook[] }).webhooks[0];
  }

  const root = async (): Promise<string> => {
    const { text } = await world().client.get("/api/v1/namespaces/default/configmaps/istio-ca-root-cert");
    return (JSON.parse(text) as { data: Record<string, string> }).data["root-cert.pem"] ?? "";
  };

  const untilClosed = (): Promise<boolean> =>
    until(async () => (await webhookOf(ownConfiguration))?.failurePolicy === "Fail", {
      what: "the webhook to be known to work",
    });

  peerTest(
    peers,
    "our configurations get the root, and fail closed once the check is known to work",
    async () => {
      await untilClosed();
      const { caBundle = "" } = (await webhookOf(ownConfiguration))?.clientConfig ?? {};
      expect(Buffer.from(caBundle, "base64").toString("utf8")).toBe(await root());
      const others = await webhookOf("others");
      expect(others?.clientConfig.caBundle).toBeUndefined();
      expect(others?.failurePolicy).toBe("Ignore");
      // What the trial was made with is nowhere.
      expect((await world().client.get(gateways)).text).toContain('"items":[]');
    },
  );

  peerTest(peers, "a bundle that is taken away, and an open door, are put right", async () => {
    await untilClosed();
    const { clientConfig } = (await webhookOf(ownConfiguration)) ?? {};
    const { url } = clientConfig as { url?: string };
    const [open] = configuration(ownConfiguration, "default", 0).webhooks;
    await world().client.patch(`${configurations}/${ownConfiguration}`, {
      webhooks: [{ ...open, clientConfig: { url }, failurePolicy: "Ignore" }],
    });
    await untilClosed();
    expect((await webhookOf(ownConfiguration))?.clientConfig).toEqual(clientConfig);
  });

  const labels = { "istio.io/rev": "default" };
  const virtualService = (http: unknown): object => ({
    apiVersion: "networking.istio.io/v1",
    kind: "VirtualService",
    metadata: { name: "reviews", namespace: "default", labels },
    spec: { hosts: ["reviews"], http },
  });

  peerTest(
    peers,
    "a rule that would be left out is refused, with the reason; what is not read is said",
    async () => {
      await untilClosed();
      const apply = async (object: object): Promise<string> =>
        world()
          .apiserver.kubectl(["create", "-f", "-"], { input: JSON.stringify(object) })
          .catch((error: Error) => error.message);
      const route = [{ destination: { host: "reviews" } }];
      const both = virtualService([{ route, redirect: { uri: "/elsewhere" } }]);
      const refused = await apply(both);
      expect(refused).toContain('admission webhook "rev.validation.istio.io" denied the request: ');
      expect(refused).toContain("spec.http[0]");
      expect(await apply(virtualService([{ route }]))).toContain(
        "virtualservice.networking.istio.io/reviews created",
      );
      // Not for this control plane, so not its business.
      const unlabelled = {
        ...both,
        metadata: { name: "canary", namespace: "default", labels: { "istio.io/rev": "x" } },
      };
      expect(await apply(unlabelled)).toContain("created");
      const metrics = (await world().pilot.get("/metrics")).body;
      expect(metrics).toContain(
        'galley_validation_failed{group="networking.istio.io",resource="VirtualService"',
      );
      expect(metrics).toContain(
        'galley_validation_passed{group="networking.istio.io",resource="VirtualService"} 1',
      );
    },
  );
}
