import type { Caller } from "./caller.ts";
import { curl } from "./curl.ts";
import { goNetHttp, javaHttpClient, nodeFetch, pythonRequests } from "./libraries.ts";
import { wrk } from "./wrk.ts";

export const callers: readonly Caller[] = [curl, wrk, pythonRequests, goNetHttp, nodeFetch, javaHttpClient];
