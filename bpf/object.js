/** Path of the compiled object with all programs and maps. */
export const objectPath = new URL("./build/keelson.bpf.o", import.meta.url).pathname;
/** Path of the compiled object with the programs that take requests off the way to the relay; it shares maps with the first. */
export const switchingObjectPath = new URL("./build/switching.bpf.o", import.meta.url).pathname;
/** Path of the object that tells a relay that is no program of ours whose connections it has accepted. */
export const dialledObjectPath = new URL("./build/dialled.bpf.o", import.meta.url).pathname;
/** Path of the object that runs the match automaton over bytes from a map, for tests. */
export const tryObjectPath = new URL("./build/try.bpf.o", import.meta.url).pathname;
/** Path of the object that chooses an endpoint for a test. */
export const balanceTryObjectPath = new URL("./build/balance-try.bpf.o", import.meta.url).pathname;
/** Path of the object that counts answers which a test gives it. */
export const countTryObjectPath = new URL("./build/count-try.bpf.o", import.meta.url).pathname;
