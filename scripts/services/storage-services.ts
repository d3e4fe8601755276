import { cephRgw } from "./ceph-rgw.ts";
import { ipfsCluster } from "./ipfs-cluster.ts";
import { kubo } from "./kubo.ts";
import type { Service, ServiceReport } from "./service.ts";
import { versitygw } from "./versitygw.ts";

/** The servers behind the drivers: what the conformance kit runs against. */
export const storageServices: readonly Service[] = [versitygw, cephRgw, kubo, ipfsCluster];

/** Each service as it is here, after an attempt to install what is absent. */
export function installMissing(services: readonly Service[]): readonly ServiceReport[] {
  return services.map((service) => {
    const found = service.find();
    if (!found.available) console.error(`installing ${service.name} …`);
    return found.available ? found : service.install();
  });
}
