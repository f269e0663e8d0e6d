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

/** Name of a rule that looks at requests, and of its file. */
export const requestRuleName = "reviews-by-path";

/** Reviews whose path begins with /two come from version 2; it is asked before the other rule. */
export const requestRuleText = `apiVersion: config.istio.io/v1alpha2
kind: RouteRule
metadata:
  name: ${requestRuleName}
spec:
  destination:
    name: reviews
  precedence: 2
  match:
    request:
      headers:
        uri:
          prefix: /two
  route:
  - labels:
      version: v2
`;
