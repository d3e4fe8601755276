/** What `thermocline init` writes as `thermocline.yaml`: it works as it stands. */
export const initialConfig = `# yaml-language-server: $schema=./node_modules/thermocline/schema/config.v1.json
# All keys and what they mean: docs/configuration.md. Check it with: thermocline config view
apiVersion: thermocline/v1

# The index, the embedded queue and saved plans live here.
data: ./.thermocline

# Files, directories (every *.thermocline.yaml below) or globs.
policies: [policies]

# Jobs wait in an embedded PostgreSQL unless a server is named. Passwords go by reference.
# queue: {url: "redis://localhost:6379"}
# queue: {url: "env:QUEUE_URL"}

# The places that can hold copies. tier: cache, hot, warm, cold or archive.
backends:
  - name: hot
    driver: local
    tier: hot
    region: here-1
    capacity: 100GiB
    options: {path: ./storage/hot}
  - name: warm
    driver: local
    tier: warm
    region: here-2
    options: {path: ./storage/warm}
  - name: cold
    driver: local
    tier: cold
    region: here-3
    price: {perGiBMonth: 0.004}
    options: {path: ./storage/cold}

# An object keeps this many verified copies, whatever policies say.
safety: {minimumCopies: 1}
`;

/** The first policy: it only ever adds a copy, and moves what nobody reads. */
export const initialPolicy = `# yaml-language-server: $schema=../node_modules/thermocline/schema/policy.v1.json
# What would it do? thermocline plan. Why does it touch this object? thermocline explain PATH
apiVersion: thermocline/v1
kind: Policy
metadata:
  name: first
  description: Two verified copies of everything; what nobody reads moves to the cold tier.
rules:
  - name: two-copies
    where: size > 0
    ensure: {copies: 2, per: region, confidence: verified}
  - name: cool-down
    where: idle > 30d and heat < 0.5
    demote: {from: tier = hot, to: tier = cold}
`;

/** A test of the first policy: every action that it may take with these objects. */
export const initialTest = `# yaml-language-server: $schema=../node_modules/thermocline/schema/policy-test.v1.json
# Run it with: thermocline test. Whatever the plan does beyond what is expected fails as well.
apiVersion: thermocline/v1
kind: PolicyTest
metadata: {name: first}
policies: [../policies/first.thermocline.yaml]
backends:
  - {name: hot, tier: hot, region: here-1}
  - {name: warm, tier: warm, region: here-2}
  - {name: cold, tier: cold, region: here-3}
objects:
  - {name: film, path: /films/a.mkv, size: 5GiB, idle: 45d, copies: [hot, warm]}
tests:
  - name: what nobody reads moves to the cold tier
    given: [film]
    expect:
      - {object: film, action: demote, from: hot, to: cold, rule: cool-down}
  - name: what was read this week stays where it is
    given: [{name: read-film, like: film, idle: 2d}]
    expect: nothing
  - name: a single copy gets a second one in another region
    given: [{name: lone-film, like: film, idle: 2d, copies: [hot]}]
    expect:
      - {object: lone-film, action: replicate, to: [warm, cold], rule: two-copies}
  - name: what is empty needs no second copy
    given: [{name: empty, size: 0, copies: [hot]}]
    expect: nothing
`;
