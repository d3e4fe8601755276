import { queueKit } from "../conformance/queue-kit.ts";
import { redisMissing, startRedisCluster } from "../services/redis.ts";

queueKit({ name: "Redis Cluster", missing: redisMissing(), start: startRedisCluster });
