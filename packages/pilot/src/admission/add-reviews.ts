import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import {
  type Admission,
  type AdmissionRequest,
  admissionAnswer,
  admissionReview,
} from "./admission-review.ts";

/** Kubernetes keeps objects of 1.5 MiB at most; a review may have two of them. */
const maximumReviewBytes = 4 * 1024 * 1024;

export interface ReviewPlace {
  readonly paths: readonly string[];
  /** Reviews in work on all paths together; anybody may send one. */
  readonly mostAtOnce: number;
}

/** Answers what Kubernetes' API server asks before it takes an object. */
export function addReviews(
  server: FastifyInstance,
  { paths, mostAtOnce }: ReviewPlace,
  answer: (request: AdmissionRequest) => Admission,
): void {
  let inWork = 0;
  const onRequest = async (_: FastifyRequest, reply: FastifyReply): Promise<void> => {
    if (inWork >= mostAtOnce) return reply.code(429).send({ error: `${inWork} reviews are in work` });
    inWork++;
    reply.raw.once("close", () => inWork--);
  };
  for (const path of paths) {
    server.post(path, { bodyLimit: maximumReviewBytes, onRequest }, (request, reply) => {
      const { data: review } = admissionReview.safeParse(request.body);
      if (review === undefined) return reply.code(400).send({ error: "the body is no AdmissionReview" });
      return reply.send(admissionAnswer(review, answer(review.request)));
    });
  }
}
