import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CertifiedKey } from '../pki/authority.ts';
import type { ClusterCertificates } from './cluster-certificates.ts';

/** How a kubeconfig's user proves who it is. */
export type Credential = CertifiedKey | { readonly token: string };

/** The text of a kubeconfig with everything inline. */
export function kubeconfigText(server: string, authority: string, user: string, credential: Credential): string {
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
export async function writeSecret(path: string, content: string): Promise<void> {
  await writeFile(path, content, { mode: 0o600 });
}

/** Writes authorities and key pairs: `ca.crt`, `kubelet-ca.crt`, `front-proxy-ca.crt` and `<user>.crt`, `<user>.key`. */
export async function writeCertificates(directory: string, certificates: ClusterCertificates): Promise<void> {
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
