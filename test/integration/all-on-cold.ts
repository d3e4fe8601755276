/** A policy that wants a copy of everything on the backend `cold`. */
export const allOnCold = `apiVersion: thermocline/v1
kind: Policy
metadata: {name: all-on-cold}
rules:
  - name: copy
    where: size > 0
    ensure: {copies: 1, on: backend = "cold"}
`;
