import { goCipherSuites } from './cipher-suites.ts';
import { parseDuration } from './duration.ts';
import type { Flag } from './flag.ts';
import { boolean, choice, duration, integer, ip, string, strings } from './flag-values.ts';

const section = 'Secure serving flags';

/** TLS versions under the names of Go's `crypto/tls`. */
type TlsVersionName = 'VersionTLS10' | 'VersionTLS11' | 'VersionTLS12' | 'VersionTLS13';

/** Node's names for them. */
export const nodeTlsVersions = {
  VersionTLS10: 'TLSv1',
  VersionTLS11: 'TLSv1.1',
  VersionTLS12: 'TLSv1.2',
  VersionTLS13: 'TLSv1.3',
} as const;

/** The HTTPS listener, its certificate, its limits and its end. */
export const servingFlags = {
  bindAddress: {
    name: 'bind-address',
    section,
    kind: ip,
    default: '0.0.0.0',
    help: 'The address to listen on. All interfaces when empty, 0.0.0.0 or ::.',
  },
  securePort: {
    name: 'secure-port',
    section,
    kind: integer(-2147483648, 2147483647),
    default: 443,
    help: "The port to serve HTTPS on. 0 means a free port of the system's choice (metrics-server then does not serve at all).",
  },
  certDir: {
    name: 'cert-dir',
    section,
    kind: string,
    default: 'apiserver.local.config/certificates',
    help: 'Directory with apiserver.crt and apiserver.key, used when --tls-cert-file is not given. Nothing is written there: without these files a certificate is made in memory.',
  },
  certFile: {
    name: 'tls-cert-file',
    section,
    kind: string,
    default: '',
    help: 'File with the serving certificate, followed by its intermediates. Read again when it changes.',
  },
  keyFile: {
    name: 'tls-private-key-file',
    section,
    kind: string,
    default: '',
    help: 'File with the private key of --tls-cert-file.',
  },
  cipherSuites: {
    name: 'tls-cipher-suites',
    section,
    kind: strings,
    default: [],
    help: `Cipher suites of TLS 1.2 and below, as Go names them. Without it Node's defaults are used. Possible values: ${[...goCipherSuites.keys()].join(', ')}.`,
  },
  minVersion: {
    name: 'tls-min-version',
    section,
    kind: choice<TlsVersionName | ''>(['', 'VersionTLS10', 'VersionTLS11', 'VersionTLS12', 'VersionTLS13']),
    default: '',
    defaultText: 'VersionTLS12',
    help: 'The lowest TLS version accepted.',
  } satisfies Flag<TlsVersionName | ''>,
  disableHttp2: {
    name: 'disable-http2-serving',
    section,
    kind: boolean,
    default: false,
    help: 'Serve HTTP/1.1 only.',
  },
  http2MaxStreams: {
    name: 'http2-max-streams-per-connection',
    section,
    kind: integer(0, 2147483647),
    default: 0,
    help: 'The most requests at once on one HTTP/2 connection. 0 means 100.',
  },
  serviceName: {
    name: 'service-name',
    section,
    kind: string,
    default: 'metrics-server',
    help: 'Name of the Service in front, for the names in a certificate made in memory.',
  },
  serviceNamespace: {
    name: 'service-namespace',
    section,
    kind: string,
    default: 'kube-system',
    help: 'Namespace of that Service, and of the Secret of --serving-cert-secret.',
  },
  certSecret: {
    name: 'serving-cert-secret',
    section,
    kind: string,
    default: '',
    help: 'Name of a Secret through which replicas share the CA of the certificates they make. Without it each has its own.',
  },
  patchCaBundle: {
    name: 'patch-ca-bundle',
    section,
    kind: boolean,
    default: false,
    help: 'Keep spec.caBundle of the metrics.k8s.io APIServices equal to the CA of --serving-cert-secret, so that they need no insecureSkipTLSVerify.',
  },
  maxRequestsInflight: {
    name: 'max-requests-inflight',
    section,
    kind: integer(-2147483648, 2147483647),
    default: 400,
    help: 'The most requests answered at once; more get 429. 0 means no limit.',
  },
  requestTimeout: {
    name: 'request-timeout',
    section,
    kind: duration,
    default: parseDuration('1m'),
    help: 'How long one request may take.',
  },
  maxConnections: {
    name: 'max-connections',
    section,
    kind: integer(1, 2147483647),
    default: 1000,
    help: 'The most client connections at once; more are closed at once.',
  },
  connectionMaxAge: {
    name: 'connection-max-age',
    section,
    kind: duration,
    default: parseDuration('10m'),
    help: 'After about this long a client is asked to open a new connection, so that replicas share the load. 0 means never.',
  },
  shutdownDelay: {
    name: 'shutdown-delay-duration',
    section,
    kind: duration,
    default: parseDuration('0s'),
    help: 'How long to go on serving, not ready, after a signal to stop.',
  },
  shutdownGracePeriod: {
    name: 'shutdown-grace-period',
    section,
    kind: duration,
    default: parseDuration('20s'),
    help: 'How long requests under way may take after that before they are cut off.',
  },
  sniCertKey: {
    name: 'tls-sni-cert-key',
    section,
    kind: strings,
    default: [],
    help: 'Further certificates, chosen by server name.',
    effect: { kind: 'refused', reason: 'one certificate is served; give one with all names to --tls-cert-file' },
  },
  curvePreferences: {
    name: 'tls-curve-preferences',
    section,
    kind: strings,
    default: [],
    help: 'Key exchange groups.',
    effect: { kind: 'none', reason: "the groups that Node's TLS library prefers are used" },
  },
  permitAddressSharing: {
    name: 'permit-address-sharing',
    section,
    kind: boolean,
    default: false,
    help: 'Listen with SO_REUSEADDR.',
    effect: { kind: 'none', reason: 'SO_REUSEADDR is always set' },
  },
  permitPortSharing: {
    name: 'permit-port-sharing',
    section,
    kind: boolean,
    default: false,
    help: 'Listen with SO_REUSEPORT.',
    effect: { kind: 'none', reason: 'SO_REUSEPORT is never set: one process listens on the port' },
  },
} satisfies Record<string, Flag<unknown>>;
