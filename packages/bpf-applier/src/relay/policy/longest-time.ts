/** Milliseconds that a timer of Node's can count, some 24 days; one of more fires at once. */
export const longestTimeMs = 2_147_483_647;
