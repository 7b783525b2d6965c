import type { Credentials } from './credentials.ts';

/** Where the API server is, how to trust it, and how to prove who we are. */
export interface ApiServer {
  /** May carry a path that goes before every request's. */
  readonly url: URL;
  /** Checked against the certificate instead of the URL's host (`tls-server-name`). */
  readonly serverName: string | undefined;
  /** `insecure-skip-tls-verify`: the server's certificate is not checked. */
  readonly insecure: boolean;
  /** `proxy-url`: an HTTP or HTTPS proxy. */
  readonly proxy: URL | undefined;
  readonly credentials: Credentials;
  /** What configured it, for messages: `in-cluster` or the kubeconfig's path. */
  readonly source: string;
}
