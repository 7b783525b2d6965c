import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CertifiedKey } from '../pki/authority.ts';
import type { ClusterCertificates } from './cluster-certificates.ts';
import { serverAccount } from './identity.ts';
import type { TokenIssuer } from './token-issuer.ts';

/** How a kubeconfig's user proves who it is. */
type Credential = CertifiedKey | { readonly token: string };

/** What the cluster hands out to programs outside its process. */
export class ClusterFiles {
  readonly #server: () => string;
  readonly #certificates: ClusterCertificates;
  readonly #tokens: TokenIssuer;

  constructor(server: () => string, certificates: ClusterCertificates, tokens: TokenIssuer) {
    this.#server = server;
    this.#certificates = certificates;
    this.#tokens = tokens;
  }

  /**
   * Writes authorities, key pairs, `<user>.kubeconfig` for every user, and `serviceaccount/` with `token`, `ca.crt` and
   * `namespace` as they are mounted into a pod.
   */
  async write(directory: string): Promise<void> {
    await writeCertificates(directory, this.#certificates);
    const { users, cluster } = this.#certificates;
    const token = await this.#tokens.issue(serverAccount);
    for (const [user, credential] of [...users, ['kubetally', { token }]] as const)
      await writeSecret(
        join(directory, `${user}.kubeconfig`),
        kubeconfigText(this.#server(), cluster.cert, user, credential),
      );
    const account = join(directory, 'serviceaccount');
    await mkdir(account, { recursive: true });
    await writeSecret(join(account, 'token'), token);
    await writeFile(join(account, 'ca.crt'), cluster.cert);
    await writeFile(join(account, 'namespace'), 'kube-system');
  }
}

/** The text of a kubeconfig with everything inline. */
function kubeconfigText(server: string, authority: string, user: string, credential: Credential): string {
  const inline = (pem: string): string => Buffer.from(pem).toString('base64');
  const proof =
    'token' in credential
      ? [`    token: ${credential.token}`]
      : [`    client-certificate-data: ${inline(credential.cert)}`, `    client-key-data: ${inline(credential.key)}`];
  return [
    'apiVersion: v1',
    'kind: Config',
    'current-context: simulated',
    'clusters:',
    '- name: simulated',
    '  cluster:',
    `    server: ${server}`,
    `    certificate-authority-data: ${inline(authority)}`,
    'users:',
    `- name: ${user}`,
    '  user:',
    ...proof,
    'contexts:',
    '- name: simulated',
    '  context:',
    '    cluster: simulated',
    `    user: ${user}`,
    '',
  ].join('\n');
}

/** Writes a file that only its owner may read. */
async function writeSecret(path: string, content: string): Promise<void> {
  await writeFile(path, content, { mode: 0o600 });
}

/** Writes authorities and key pairs: `ca.crt`, `kubelet-ca.crt`, `front-proxy-ca.crt` and `<user>.crt`, `<user>.key`. */
async function writeCertificates(directory: string, certificates: ClusterCertificates): Promise<void> {
  await mkdir(directory, { recursive: true });
  const pairs: readonly (readonly [string, CertifiedKey])[] = [
    ...certificates.users,
    ['front-proxy', certificates.proxyClient],
    ['impostor', certificates.impostor],
    ['apiserver', certificates.apiServer],
  ];
  for (const [name, { cert, key }] of pairs) {
    await writeFile(join(directory, `${name}.crt`), cert);
    await writeSecret(join(directory, `${name}.key`), key);
  }
  await writeFile(join(directory, 'ca.crt'), certificates.cluster.cert);
  await writeFile(join(directory, 'kubelet-ca.crt'), certificates.kubelet.cert);
  await writeFile(join(directory, 'front-proxy-ca.crt'), certificates.frontProxy.cert);
}
