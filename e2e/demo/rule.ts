/** Name of the rule, and of its file in the configuration's folder. */
export const ruleName = "reviews-default";

/** All reviews come from version 1. */
export const ruleText = `apiVersion: config.istio.io/v1alpha2
kind: RouteRule
metadata:
  name: ${ruleName}
spec:
  destination:
    name: reviews
  precedence: 1
  route:
  - labels:
      version: v1
`;
