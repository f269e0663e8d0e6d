import { defaultDomain } from "@keelson/model/names";
import { Option } from "commander";

export const domainOption = (): Option =>
  new Option("--domain <suffix>", "suffix of Kubernetes' service names").default(defaultDomain);
