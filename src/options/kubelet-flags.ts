import { bytes } from '../model/units.ts';
import { parseDuration } from './duration.ts';
import type { Flag } from './flag.ts';
import { boolean, choice, duration, integer, size, string, strings } from './flag-values.ts';

const section = 'Kubelet client flags';

/** Which part of the kubelet's API to read: the Summary API, `/metrics/resource`, or the first with the second to fall back on. */
export type KubeletSource = 'auto' | 'summary' | 'resource';

/** How kubelets are reached. */
export const kubeletFlags = {
  source: {
    name: 'kubelet-source',
    section,
    kind: choice<KubeletSource>(['auto', 'summary', 'resource']),
    default: 'auto',
    help: 'What is read from kubelets: the Summary API, /metrics/resource, or (auto) the Summary API where the kubelet offers it, else /metrics/resource.',
  } satisfies Flag<KubeletSource>,
  port: {
    name: 'kubelet-port',
    section,
    kind: integer(1, 65535),
    default: 10250,
    help: 'The port of the kubelets.',
  },
  useNodeStatusPort: {
    name: 'kubelet-use-node-status-port',
    section,
    kind: boolean,
    default: false,
    help: "Use the port in the node's status where there is one, before --kubelet-port.",
  },
  preferredAddressTypes: {
    name: 'kubelet-preferred-address-types',
    section,
    kind: strings,
    default: ['Hostname', 'InternalDNS', 'InternalIP', 'ExternalDNS', 'ExternalIP'],
    help: 'Types of node addresses to connect to, the most preferred first; the next is tried when connecting fails.',
  },
  requestTimeout: {
    name: 'kubelet-request-timeout',
    section,
    kind: duration,
    default: parseDuration('10s'),
    help: 'How long one request to a kubelet may take; at most nine tenths of metric-resolution.',
  },
  maxBodySize: {
    name: 'kubelet-max-body-size',
    section,
    kind: size,
    default: bytes(32 * 2 ** 20),
    help: "The largest answer accepted from a kubelet; larger ones fail that node's scrape.",
  },
  maxIdleConnections: {
    name: 'kubelet-max-idle-connections',
    section,
    kind: integer(0, 1_000_000),
    default: 1500,
    help: 'How many connections to kubelets stay open between scrapes, at 0.1 MB each. Further kubelets get one for each scrape, which takes about 1 ms more CPU.',
  },
  insecureTls: {
    name: 'kubelet-insecure-tls',
    section,
    kind: boolean,
    default: false,
    help: "Do not verify the kubelets' serving certificates. For testing only.",
  },
  certificateAuthority: {
    name: 'kubelet-certificate-authority',
    section,
    kind: string,
    default: '',
    help: "File with the CA certificates that sign the kubelets' serving certificates. Without it the cluster's CA is used.",
  },
  clientCertificate: {
    name: 'kubelet-client-certificate',
    section,
    kind: string,
    default: '',
    help: 'File with the client certificate shown to kubelets.',
  },
  clientKey: {
    name: 'kubelet-client-key',
    section,
    kind: string,
    default: '',
    help: "File with the client certificate's private key.",
  },
  completelyInsecure: {
    name: 'deprecated-kubelet-completely-insecure',
    section,
    kind: boolean,
    default: false,
    help: 'DEPRECATED: talk to kubelets over plain HTTP and without credentials. Use --kubelet-insecure-tls in test clusters instead.',
  },
} satisfies Record<string, Flag<unknown>>;
