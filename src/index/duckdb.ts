// The first line comes first for a reason: modules are loaded in this order.
export { allocatorSettings } from "#index/duckdb-allocator.ts";
export * from "@duckdb/node-api";
export { default as bindings, type Value, type Vector } from "@duckdb/node-bindings";
