/** Path of the compiled object with all programs and maps. */
export const objectPath: string;
