import type { CertificateBundle } from '../pki/pem-bundle.ts';

/** How to trust a front proxy and read the user it names. Header names are in lower case. */
export interface RequestHeaderSettings {
  readonly authorities: CertificateBundle;
  /** Common names of the proxy's certificate; empty means any that `authorities` signed. */
  readonly allowedNames: readonly string[];
  readonly usernameHeaders: readonly string[];
  readonly uidHeaders: readonly string[];
  readonly groupHeaders: readonly string[];
  readonly extraHeaderPrefixes: readonly string[];
}

/** One state of the authentication settings; a change makes a new object, so results may be remembered by it. */
export interface AuthenticationSettings {
  /** Undefined: nobody's identity headers are believed. */
  readonly requestHeader: RequestHeaderSettings | undefined;
  /** Undefined: client certificates are no credential. */
  readonly clientAuthorities: CertificateBundle | undefined;
}
