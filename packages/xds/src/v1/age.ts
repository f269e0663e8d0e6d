/**
 * Which Pilot's answers are given: those of 0.2.12, or those of 0.7.1. A proxy's request does not tell its age, and what
 * they read differs (names of clusters, new fields).
 */
export type Age = "0.2" | "0.7";
