/** Path of the compiled object with all programs and maps. */
export const objectPath = new URL("./build/keelson.bpf.o", import.meta.url).pathname;
