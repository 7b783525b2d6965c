import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { ApiRequests } from '../../kube/late-client.ts';
import { apiGroup, apiVersions } from '../../metrics-api/objects.ts';
import type { Clock } from '../../model/clock.ts';
import type { ServingOptions } from '../../options/serve-options.ts';
import {
  certificateFromFiles,
  selfMadeCertificate,
  servingNames,
  type ServingCertificate,
} from '../../server/serving-certificate.ts';
import { SharedCertificate } from '../../server/shared-certificate.ts';
import type { Logger } from '../../telemetry/log.ts';

interface CertificateDependencies {
  readonly kube: ApiRequests;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
}

/** In order: the files named, a Secret, the files of `--cert-dir` if both are there, else in memory. Rejects with `ServerError` `certificate` for files that cannot be used. */
export async function servingCertificate(
  serving: ServingOptions,
  { kube, clock, random, log }: CertificateDependencies,
): Promise<ServingCertificate> {
  const { certFile, keyFile, certSecret, certDir, bindAddress, serviceName, serviceNamespace } = serving;
  if (certFile !== undefined && keyFile !== undefined)
    return await certificateFromFiles(certFile, keyFile, { clock, log });
  const specific = ['', '0.0.0.0', '::'].includes(bindAddress) ? [] : [bindAddress];
  const names = servingNames(serviceName, serviceNamespace, ...specific);
  if (certSecret !== undefined) {
    const service = { namespace: serviceNamespace, name: serviceName };
    const publish = { service, apiServices: apiVersions.map((version) => `${version}.${apiGroup}`) };
    const secret = { namespace: serviceNamespace, name: certSecret };
    return await SharedCertificate.create(
      { names, secret, publish: serving.patchCaBundle ? publish : undefined },
      { client: kube, clock, random, log },
    );
  }
  const pair = [join(certDir, 'apiserver.crt'), join(certDir, 'apiserver.key')] as const;
  if ((await Promise.all(pair.map(exists))).includes(true)) return await certificateFromFiles(...pair, { clock, log });
  return await selfMadeCertificate(names, { clock, log });
}

/** One that is there and cannot be read counts: reading it tells why. */
async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ENOENT');
  }
}
