import { expect } from "vitest";

/** A type's status without a rejection, whatever the nonces are. */
export const versions = (sentVersion: string, ackedVersion: string) => ({
  sentVersion,
  ackedVersion,
  sentNonce: expect.any(String) as string,
  ackedNonce: expect.any(String) as string,
});
