import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CertifiedKey } from '../pki/authority.ts';
import type { ClusterCertificates } from './cluster-certificates.ts';
import { serverAccount } from './identity.ts';
import type { TokenIssuer } from './token-issuer.ts';

/** How a kubeconfig's user proves who it is. */
type Credential = CertifiedKey | { readonly token: string };

/**
 * Writes what programs outside the process need: authorities, key pairs, `<user>.kubeconfig` for every user (with a client certificate for people, a token for
 * kubetally), and `serviceaccount/` with `token`, `ca.crt` and `namespace` as they are mounted into a pod.
 * @param server URL of the API server
 */
export async function writeClusterFiles(
  directory: string,
  server: string,
  certificates: ClusterCertificates,
  tokens: TokenIssuer,
): Promise<void> {
  const { users, cluster } = certificates;
  const account = join(directory, 'serviceaccount');
  await mkdir(account, { recursive: true });
  await writeCertificates(directory, certificates);
  const token = await tokens.issue(serverAccount);
  for (const [user, credential] of [...users, ['kubetally', { token }]] as const)
    await writeSecret(join(directory, `${user}.kubeconfig`), kubeconfigText(server, cluster.cert, user, credential));
  await writeSecret(join(account, 'token'), token);
  await writeFile(join(account, 'ca.crt'), cluster.cert);
  await writeFile(join(account, 'namespace'), 'kube-system');
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
