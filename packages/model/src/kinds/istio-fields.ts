import { isIP } from "node:net";
import { z } from "zod";
import { dnsLabel, portNumber } from "./fields.ts";
import { atMostOneOf, exactlyOneOf } from "./one-of.ts";
import { regularExpression } from "./regular-expression.ts";

// Fields that several of Istio's kinds share, and what istiod asks of them (istio/istio pkg/config/validation).

const label = "[A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?";
const fullyQualified = new RegExp(`^${label}(\\.${label})*\\.?$`);
const wildcard = new RegExp(`^(\\*|\\*[-.]?${label}(\\.${label})*\\.?)$`);

/** A name without wildcards. */
export const hostname = z.string().max(255).regex(fullyQualified, "is not a domain name");

/** A name that may begin with "*". */
export const wildcardHostname = z
  .string()
  .max(255)
  .refine(
    (text) => fullyQualified.test(text) || wildcard.test(text),
    'is not a domain name, nor one with "*" at its beginning, such as "*.example.com"',
  );

export const ipAddress = z.string().refine((text) => isIP(text) !== 0, "is not an IP address");

/** An address or a CIDR block. */
export const subnet = z.string().refine((text) => {
  const [address = "", length, ...more] = text.split("/");
  const version = isIP(address);
  if (version === 0 || more.length > 0) return false;
  return length === undefined || (/^\d{1,3}$/.test(length) && Number(length) <= (version === 4 ? 32 : 128));
}, "is neither an IP address nor a CIDR block");

const labelKey = z
  .string()
  .regex(
    /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/,
    "is not a label's name",
  );
const labelValue = z
  .string()
  .regex(/^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/, "is not a label's value");

/** Labels as Kubernetes takes them. */
export const labels = z.record(labelKey, labelValue);

/** Only HTAB may stand in a header. */
const control = /[^\t\x20-\x7e\x80-\u{10ffff}]/u;

/** What a rule puts into a header (RFC 9110 5.5): a line's end would make two messages of one. */
export const headerValue = z
  .string()
  .refine((text) => !control.test(text), "is not a header's value: it has a control character");

export const workloadSelector = z.strictObject({ labels: labels.optional() });

/** Namespaces that see a rule: "." its own, "*" all, "~" none. */
export const exportTo = z
  .array(
    z.union([z.enum([".", "*", "~"]), dnsLabel], { error: 'is neither a namespace nor ".", "*" or "~"' }),
  )
  .refine((all) => new Set(all).size === all.length, "says something twice")
  .refine((all) => all.length < 2 || !(all.includes("*") || all.includes("~")), '"*" and "~" stand alone');

/** Names a port by its number; names have gone from Istio's API. */
export const portSelector = z.strictObject({ number: portNumber });

export const destination = z.strictObject({
  host: wildcardHostname.refine((text) => text !== "*", '"*" is no destination'),
  subset: dnsLabel.optional(),
  port: portSelector.optional(),
});
export type Destination = z.output<typeof destination>;

/** Longer ones istiod refuses, as Envoy may not take them. */
const maximumRegexLength = 1024;

export const regex = regularExpression.min(1).max(maximumRegexLength);

const oneOf = (match: object): boolean => Object.keys(match).length === 1;

/** How a text is compared; exactly one of the three. */
export const stringMatch = z
  .strictObject({
    exact: z.string().optional(),
    prefix: z.string().min(1).optional(),
    regex: regex.optional(),
  })
  .refine(oneOf, "needs exactly one of exact, prefix and regex")
  .meta(exactlyOneOf("exact", "prefix", "regex"));
export type StringMatch = z.output<typeof stringMatch>;

/** As stringMatch, and an empty one only asks that there be something. */
export const stringMatchOrPresence = z
  .strictObject({
    exact: z.string().optional(),
    prefix: z.string().min(1).optional(),
    regex: regex.optional(),
  })
  .refine((match) => Object.keys(match).length < 2, "takes only one of exact, prefix and regex")
  .meta(atMostOneOf("exact", "prefix", "regex"));

/** As stringMatch; the prefix of a path may be empty. */
export const uriMatch = z
  .strictObject({ exact: z.string().optional(), prefix: z.string().optional(), regex: regex.optional() })
  .refine(oneOf, "needs exactly one of exact, prefix and regex")
  .meta(exactlyOneOf("exact", "prefix", "regex"));

export const percent = z.strictObject({ value: z.number().min(0).max(100).default(0) });

/** Named values in Istio's status reports; nothing that we read. */
export const status = z.unknown().optional();
