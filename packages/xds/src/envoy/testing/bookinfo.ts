import { ApplicationProtocol, type EndpointSet, type Service } from "@keelson/protos/policy";
import { anEndpointSet, aService } from "./builders.ts";

export const reviews = "reviews.default.svc.cluster.local";
export const ratings = "ratings.default.svc.cluster.local";

/** Reviews in three versions and ratings, both HTTP on 9080. */
const bookinfoServices: readonly Service[] = ["reviews", "ratings"].map((name, i) =>
  aService(name, {
    addresses: [`10.96.0.${i + 1}`],
    ports: [{ port: 9080, name: "http", applicationProtocol: ApplicationProtocol.HTTP }],
  }),
);

const pod = (name: string, version: string, i: number) => ({
  address: `10.244.1.${i}`,
  port: 9080,
  workload: `default/${name}-${version}`,
  labels: [`app=${name}`, `version=${version}`],
});

const reviewPods = ["v1", "v2", "v3"].map((version, i) => pod("reviews", version, i + 1));

const bookinfoEndpointSets: readonly EndpointSet[] = [
  anEndpointSet(`outbound|9080||${reviews}`, reviewPods),
  ...["v1", "v2", "v3"].map((version, i) =>
    anEndpointSet(`outbound|9080|version=${version}|${reviews}`, reviewPods.slice(i, i + 1)),
  ),
  anEndpointSet(`outbound|9080||${ratings}`, [pod("ratings", "v1", 9)]),
];

export const bookinfo = { services: bookinfoServices, endpointSets: bookinfoEndpointSets };
