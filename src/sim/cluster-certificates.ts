import type { Clock } from '../model/clock.ts';
import { CertificateAuthority, type CertifiedKey } from '../pki/authority.ts';
import { people } from './identity.ts';

const day = 86_400_000;

/** The three authorities of a cluster and everything they signed; all in memory. */
export interface ClusterCertificates {
  readonly cluster: CertificateAuthority;
  readonly frontProxy: CertificateAuthority;
  readonly kubelet: CertificateAuthority;
  /** Client certificate of the aggregation layer, CN `front-proxy-client`. */
  readonly proxyClient: CertifiedKey;
  /** Client certificate of the front-proxy authority that is not the proxy's, CN `somebody-else`. */
  readonly impostor: CertifiedKey;
  readonly apiServer: CertifiedKey;
  readonly users: ReadonlyMap<string, CertifiedKey>;
  /** A client certificate of the cluster authority. */
  clientOf(commonName: string, organizations?: readonly string[]): Promise<CertifiedKey>;
  /** A serving certificate by `authority` for host names and IP addresses. */
  servingOf(authority: CertificateAuthority, commonName: string, names: readonly string[]): Promise<CertifiedKey>;
}

/** Makes new authorities and keys, valid both now and at the clock's time, whichever year a test pretends it is. */
export async function makeCertificates(clock: Clock): Promise<ClusterCertificates> {
  const notBefore = new Date(Math.min(clock.now(), Date.now()) - day);
  const notAfter = new Date(Math.max(clock.now(), Date.now()) + 3650 * day);
  const authority = async (name: string): Promise<CertificateAuthority> =>
    await CertificateAuthority.create(name, notBefore, notAfter);
  const cluster = await authority('kubernetes-ca');
  const frontProxy = await authority('front-proxy-ca');
  const kubelet = await authority('kubelet-ca');
  const client = async (signer: CertificateAuthority, commonName: string, organizations: readonly string[] = []) =>
    await signer.issue({ commonName, organizations, usages: ['clientAuth'], notBefore, notAfter });
  const users = new Map<string, CertifiedKey>();
  for (const [name, groups] of Object.entries(people)) users.set(name, await client(cluster, name, groups));
  return {
    cluster,
    frontProxy,
    kubelet,
    users,
    proxyClient: await client(frontProxy, 'front-proxy-client'),
    impostor: await client(frontProxy, 'somebody-else'),
    apiServer: await cluster.issue({
      commonName: 'kube-apiserver',
      names: ['127.0.0.1', 'localhost', 'kubernetes.default.svc'],
      usages: ['serverAuth', 'clientAuth'],
      notBefore,
      notAfter,
    }),
    clientOf: async (commonName, organizations) => await client(cluster, commonName, organizations),
    async servingOf(signer, commonName, names) {
      const organizations = signer === kubelet ? ['system:nodes'] : [];
      return await signer.issue({ commonName, organizations, names, usages: ['serverAuth'], notBefore, notAfter });
    },
  };
}
