import { testLostMachine } from "./lost-machine-kit.ts";

testLostMachine("Redis");
