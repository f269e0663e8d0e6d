/** Path of the compiled object with all programs and maps. */
export const objectPath: string;
/** Path of the compiled object with the programs that take requests off the way to the relay; it shares maps with the first. */
export const switchingObjectPath: string;
/** Path of the object that tells a relay that is no program of ours whose connections it has accepted. */
export const dialledObjectPath: string;
/** Path of the object that runs the match automaton over bytes from a map, for tests. */
export const tryObjectPath: string;
/** Path of the object that chooses an endpoint for a test. */
export const balanceTryObjectPath: string;
/** Path of the object that counts answers which a test gives it. */
export const countTryObjectPath: string;
