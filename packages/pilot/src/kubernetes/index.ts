export {
  type ElectionEvent,
  type ElectionOptions,
  type ElectionTiming,
  LeaderElection,
} from "./locks/leader-election.ts";
export { ConfigMapLock, LeaseLock, type LockStore } from "./locks/lock-store.ts";
