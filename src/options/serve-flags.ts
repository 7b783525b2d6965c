import type { Flag } from './flag.ts';
import { boolean, choice, duration, integer, string } from './flag-values.ts';
import { parseDuration } from './duration.ts';
import { authenticationFlags, authorizationFlags } from './access-flags.ts';
import { auditFlags, featureFlags, genericFlags, loggingFlagsWithoutEffect } from './inert-flags.ts';
import { kubeletFlags } from './kubelet-flags.ts';
import { servingFlags } from './serving-flags.ts';
import { helpFlag } from './usage.ts';

const section = 'Metrics server flags';
const logging = 'Logging flags';

/** What to measure and where from. */
export const metricFlags = {
  kubeconfig: {
    name: 'kubeconfig',
    section,
    kind: string,
    default: '',
    help: 'Kubeconfig used to connect to the Kubernetes API server and the kubelets. Without it the in-cluster service account is used.',
  },
  metricResolution: {
    name: 'metric-resolution',
    section,
    kind: duration,
    default: parseDuration('1m'),
    help: 'How often each node is scraped; at least 10s, and kubelet-request-timeout must be at most nine tenths of it.',
  },
  metricMaxAge: {
    name: 'metric-max-age',
    section,
    kind: duration,
    default: parseDuration('0s'),
    defaultText: '3 x metric-resolution',
    help: 'How long the last good window of a node or container is served when newer ones are missing; at least metric-resolution.',
  },
  nodeSelector: {
    name: 'node-selector',
    short: 'l',
    section,
    kind: string,
    default: '',
    help: 'Label selector: only nodes that match are scraped, and only their pods are served.',
  },
  perNodeMetrics: {
    name: 'per-node-metrics',
    section,
    kind: boolean,
    default: false,
    help: 'Give the Prometheus series of scraping a node label. metrics-server always does; here it is off so that their number does not grow with the cluster.',
  },
  help: helpFlag(section),
  version: { name: 'version', section, kind: boolean, default: false, help: 'Show the version.' },
} satisfies Record<string, Flag<unknown>>;

/** What is logged, and how. */
export const loggingFlags = {
  format: {
    name: 'logging-format',
    section: logging,
    kind: choice(['text', 'json']),
    default: 'text',
    help: 'Form of the log lines on stderr.',
  } satisfies Flag<'text' | 'json'>,
  verbosity: {
    name: 'v',
    short: 'v',
    section: logging,
    kind: integer(-2147483648, 2147483647, 'Level'),
    default: 0,
    help: 'Log verbosity: 0 what an operator should know, 1 changes of credentials and watches, 2 every list, scrape and refused request, 3 every request, 4 everything.',
  },
} satisfies Record<string, Flag<unknown>>;

/** Every flag of `kubetally serve`: all of metrics-server's, and our own. */
export const serveFlags: readonly Flag<unknown>[] = [
  ...Object.values(metricFlags),
  ...Object.values(kubeletFlags),
  ...Object.values(servingFlags),
  ...Object.values(authenticationFlags),
  ...Object.values(authorizationFlags),
  ...Object.values(loggingFlags),
  ...loggingFlagsWithoutEffect,
  ...genericFlags,
  ...auditFlags,
  ...featureFlags,
];
