import { testLostMachine } from "./lost-machine-kit.ts";

testLostMachine("embedded PostgreSQL");
