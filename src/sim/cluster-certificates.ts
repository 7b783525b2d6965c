import type { Clock } from '../model/clock.ts';
import { CertificateAuthority, type CertificateRequest, type CertifiedKey } from '../pki/authority.ts';
import { people } from './identity.ts';

const day = 86_400_000;

/** The three authorities of a cluster and everything they signed; all in memory. */
export class ClusterCertificates {
  readonly cluster: CertificateAuthority;
  readonly frontProxy: CertificateAuthority;
  readonly kubelet: CertificateAuthority;
  /** Client certificate of the aggregation layer, CN `front-proxy-client`. */
  readonly proxyClient: CertifiedKey;
  /** Client certificate of the front-proxy authority that is not the proxy's, CN `somebody-else`. */
  readonly impostor: CertifiedKey;
  readonly apiServer: CertifiedKey;
  readonly users: ReadonlyMap<string, CertifiedKey>;
  readonly #validity: Pick<CertificateRequest, 'notBefore' | 'notAfter'>;

  private constructor(
    authorities: readonly [CertificateAuthority, CertificateAuthority, CertificateAuthority],
    leaves: Pick<ClusterCertificates, 'proxyClient' | 'impostor' | 'apiServer' | 'users'>,
    validity: Pick<CertificateRequest, 'notBefore' | 'notAfter'>,
  ) {
    [this.cluster, this.frontProxy, this.kubelet] = authorities;
    this.proxyClient = leaves.proxyClient;
    this.impostor = leaves.impostor;
    this.apiServer = leaves.apiServer;
    this.users = leaves.users;
    this.#validity = validity;
  }

  /** Makes new authorities and keys, valid both now and at the clock's time, whichever year a test pretends it is. */
  static async create(clock: Clock): Promise<ClusterCertificates> {
    const validity = {
      notBefore: new Date(Math.min(clock.now(), Date.now()) - day),
      notAfter: new Date(Math.max(clock.now(), Date.now()) + 3650 * day),
    };
    const authority = async (name: string): Promise<CertificateAuthority> =>
      await CertificateAuthority.create(name, validity.notBefore, validity.notAfter);
    const cluster = await authority('kubernetes-ca');
    const frontProxy = await authority('front-proxy-ca');
    const kubelet = await authority('kubelet-ca');
    const client = async (signer: CertificateAuthority, commonName: string, organizations: readonly string[] = []) =>
      await signer.issue({ commonName, organizations, usages: ['clientAuth'], ...validity });
    const users = new Map<string, CertifiedKey>();
    for (const [name, groups] of Object.entries(people)) users.set(name, await client(cluster, name, groups));
    const apiServer = await cluster.issue({
      commonName: 'kube-apiserver',
      names: ['127.0.0.1', 'localhost', 'kubernetes.default.svc'],
      usages: ['serverAuth', 'clientAuth'],
      ...validity,
    });
    const proxyClient = await client(frontProxy, 'front-proxy-client');
    const impostor = await client(frontProxy, 'somebody-else');
    const leaves = { proxyClient, impostor, apiServer, users };
    return new ClusterCertificates([cluster, frontProxy, kubelet], leaves, validity);
  }

  /** A client certificate of the cluster authority. */
  async clientOf(commonName: string, organizations: readonly string[] = []): Promise<CertifiedKey> {
    return await this.cluster.issue({ commonName, organizations, usages: ['clientAuth'], ...this.#validity });
  }

  /** A serving certificate by `authority` for host names and IP addresses. */
  async servingOf(
    authority: CertificateAuthority,
    commonName: string,
    names: readonly string[],
  ): Promise<CertifiedKey> {
    const organizations = authority === this.kubelet ? ['system:nodes'] : [];
    return await authority.issue({ commonName, organizations, names, usages: ['serverAuth'], ...this.#validity });
  }
}
