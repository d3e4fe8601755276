import { testBackend } from "../demo-backends.ts";

/** A hot and a cold backend, 0 and 1. */
export const demoPair = [
  testBackend({ id: 0, name: "hot", tier: "hot" }),
  testBackend({ id: 1, name: "cold", tier: "cold" }),
];
