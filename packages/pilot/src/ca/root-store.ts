/** A self-made root, under the names of the keys of Pilot's Secret istio-ca-secret. */
export interface StoredRoot {
  /** PEM of the certificate. */
  readonly "ca-cert.pem": string;
  /** PEM of its private key. */
  readonly "ca-key.pem": string;
}

/** Keeps the self-made root over restarts, and shares it between replicas where it can. */
export interface RootStore {
  /** In errors and logs: where it is kept. */
  readonly place: string;
  /** @returns undefined if none was ever kept. @throws Error if what is kept cannot be read: no reason to make another one */
  load(): Promise<StoredRoot | undefined>;
  /** Keeps `root` unless one is kept already. @returns the one that is kept now */
  create(root: StoredRoot): Promise<StoredRoot>;
  /** Keeps `next` in the place of `previous`, unless another one has taken it. @returns the one that is kept now */
  replace(previous: StoredRoot, next: StoredRoot): Promise<StoredRoot>;
  /** Where changes of others are told. @param onChange called when another root may be kept now @returns what ends it */
  follow?(onChange: () => void): () => Promise<void>;
}
