import { parseDuration } from './duration.ts';
import type { Flag } from './flag.ts';
import { boolean, duration, integer, string, strings } from './flag-values.ts';

const authentication = 'Authentication flags';
const authorization = 'Authorization flags';

/** Who asks: client certificates, front-proxy headers, tokens. */
export const authenticationFlags = {
  kubeconfig: {
    name: 'authentication-kubeconfig',
    section: authentication,
    kind: string,
    default: '',
    help: 'Kubeconfig of the cluster that reviews tokens. Without it --kubeconfig or the in-cluster service account is used.',
  },
  skipLookup: {
    name: 'authentication-skip-lookup',
    section: authentication,
    kind: boolean,
    default: false,
    help: 'Do not look up missing authentication settings in the cluster.',
  },
  tolerateLookupFailure: {
    name: 'authentication-tolerate-lookup-failure',
    section: authentication,
    kind: boolean,
    default: false,
    help: 'Treat authentication settings that cannot be looked up as absent.',
  },
  tokenCacheTtl: {
    name: 'authentication-token-webhook-cache-ttl',
    section: authentication,
    kind: duration,
    default: parseDuration('10s'),
    help: 'How long the review of a token is remembered; never longer than the token is valid.',
  },
  cacheSize: {
    name: 'authentication-cache-size',
    section: authentication,
    kind: integer(1, 10_000_000),
    default: 4096,
    help: 'How many token reviews are remembered at most.',
  },
  audiences: {
    name: 'api-audiences',
    section: authentication,
    kind: strings,
    default: [],
    help: "Audiences of which a token must name one. Without it the API server's own audience applies.",
  },
  clientCaFile: {
    name: 'client-ca-file',
    section: authentication,
    kind: string,
    default: '',
    help: "File with the CA certificates of client certificates; they authenticate as their common name and organizations. Without it the cluster's are looked up.",
  },
  requestHeaderClientCaFile: {
    name: 'requestheader-client-ca-file',
    section: authentication,
    kind: string,
    default: '',
    help: 'File with the CA certificates of the front proxy, whose headers are trusted. With it, none of the --requestheader settings are looked up in the cluster.',
  },
  requestHeaderAllowedNames: {
    name: 'requestheader-allowed-names',
    section: authentication,
    kind: strings,
    default: [],
    help: "Common names of the front proxy's client certificate. Any when empty.",
  },
  requestHeaderUsernameHeaders: {
    name: 'requestheader-username-headers',
    section: authentication,
    kind: strings,
    default: ['x-remote-user'],
    help: 'Headers with the user name.',
  },
  requestHeaderUidHeaders: {
    name: 'requestheader-uid-headers',
    section: authentication,
    kind: strings,
    default: [],
    help: 'Headers with the UID of the user. X-Remote-Uid is suggested.',
  },
  requestHeaderGroupHeaders: {
    name: 'requestheader-group-headers',
    section: authentication,
    kind: strings,
    default: ['x-remote-group'],
    help: 'Headers with the groups.',
  },
  requestHeaderExtraHeadersPrefix: {
    name: 'requestheader-extra-headers-prefix',
    section: authentication,
    kind: strings,
    default: ['x-remote-extra-'],
    help: 'Prefixes of headers with further facts about the user.',
  },
} satisfies Record<string, Flag<unknown>>;

/** What they may do. */
export const authorizationFlags = {
  kubeconfig: {
    name: 'authorization-kubeconfig',
    section: authorization,
    kind: string,
    default: '',
    help: 'Kubeconfig of the cluster that reviews access. Without it --kubeconfig or the in-cluster service account is used.',
  },
  alwaysAllowPaths: {
    name: 'authorization-always-allow-paths',
    section: authorization,
    kind: strings,
    default: ['/healthz', '/readyz', '/livez'],
    help: 'Paths answered without asking the cluster; a trailing * stands for anything. Giving it replaces the default.',
  },
  allowedTtl: {
    name: 'authorization-webhook-cache-authorized-ttl',
    section: authorization,
    kind: duration,
    default: parseDuration('10s'),
    help: 'How long a review that allowed is remembered.',
  },
  deniedTtl: {
    name: 'authorization-webhook-cache-unauthorized-ttl',
    section: authorization,
    kind: duration,
    default: parseDuration('10s'),
    help: 'How long a review that did not allow is remembered.',
  },
  cacheSize: {
    name: 'authorization-cache-size',
    section: authorization,
    kind: integer(1, 10_000_000),
    default: 4096,
    help: 'How many access reviews are remembered at most.',
  },
} satisfies Record<string, Flag<unknown>>;
