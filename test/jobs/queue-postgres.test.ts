import { queueKit } from "../conformance/queue-kit.ts";
import { queueServers } from "../conformance/queue-servers.ts";

for (const kind of queueServers) if (kind.name === "embedded PostgreSQL") queueKit(kind);
