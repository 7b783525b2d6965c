import { writeFile } from 'node:fs/promises';
import type { CertifiedKey } from '../../src/pki/authority.ts';

/** How a user proves who it is. */
export type Credential = CertifiedKey | { readonly token: string };

/** Writes a kubeconfig with everything inline; JSON is YAML, too. */
export async function writeKubeconfig(path: string, server: string, ca: string, credential: Credential): Promise<void> {
  const inline = (pem: string): string => Buffer.from(pem).toString('base64');
  const user =
    'token' in credential
      ? credential
      : { 'client-certificate-data': inline(credential.cert), 'client-key-data': inline(credential.key) };
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'e2e',
    clusters: [{ name: 'e2e', cluster: { server, 'certificate-authority-data': inline(ca) } }],
    users: [{ name: 'e2e', user }],
    contexts: [{ name: 'e2e', context: { cluster: 'e2e', user: 'e2e' } }],
  };
  await writeFile(path, JSON.stringify(config), { mode: 0o600 });
}
