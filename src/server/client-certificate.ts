import { createHash } from 'node:crypto';
import type { CertificateBundle } from '../pki/pem-bundle.ts';
import type { PeerChain } from '../pki/client-chain.ts';
import type { CertificateSubject } from './certificate-subject.ts';
import type { Connection } from './connection.ts';
import type { PeerVerdicts } from './peer-verdicts.ts';
import { extraMap, withAuthenticatedGroup, type UserInfo } from './user.ts';

/** Client certificates as credentials: the common name is the user, organizations are groups (`k8s.io/apiserver/.../request/x509`). */
export class ClientCertificates {
  readonly #verdicts: PeerVerdicts;
  readonly #users = new WeakMap<PeerChain, UserInfo>();

  constructor(verdicts: PeerVerdicts) {
    this.#verdicts = verdicts;
  }

  /**
   * Undefined when the connection shows no certificate, or one without a common name.
   * Throws `AuthenticationError` `certificate` when it does not verify.
   */
  userOf(connection: Connection, authorities: CertificateBundle): UserInfo | undefined {
    const { peer } = connection;
    if (peer === undefined) return undefined;
    const subject = this.#verdicts.verify(peer, authorities);
    let user = this.#users.get(peer);
    if (user === undefined) {
      user = readUser(peer, subject);
      this.#users.set(peer, user);
    }
    return user.name === '' ? undefined : user;
  }
}

function readUser({ leaf }: PeerChain, { commonName, organizations, uid }: CertificateSubject): UserInfo {
  const extra = extraMap();
  extra['authentication.kubernetes.io/credential-id'] = [
    `X509SHA256=${createHash('sha256').update(leaf.raw).digest('hex')}`,
  ];
  return withAuthenticatedGroup({ name: commonName, uid, groups: organizations, extra });
}
