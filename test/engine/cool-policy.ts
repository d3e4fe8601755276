/** A policy that moves everything from `hot` to `cold`. */
export const coolPolicy = `apiVersion: thermocline/v1
kind: Policy
metadata: {name: cool}
rules:
  - name: down
    where: true
    demote: {from: tier = hot, to: tier = cold}
`;
