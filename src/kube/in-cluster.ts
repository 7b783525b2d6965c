import { isIPv6 } from 'node:net';
import { join } from 'node:path';
import type { Clock } from '../model/clock.ts';
import type { Logger } from '../telemetry/log.ts';
import type { ApiServer } from './api-server.ts';
import { Credentials } from './credentials.ts';
import { KubeError } from './kube-error.ts';

export interface InClusterOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Where the service account's `token` and `ca.crt` are mounted. */
  readonly serviceAccountRoot?: string;
}

export const serviceAccountRoot = '/var/run/secrets/kubernetes.io/serviceaccount';

/**
 * The API server as a pod sees it: address from `KUBERNETES_SERVICE_HOST` and `_PORT`, identity from the mounted service account
 * (Kubernetes documentation, "Accessing the Kubernetes API from a Pod"). Throws `KubeError` `config`.
 */
export async function inClusterServer(options: InClusterOptions): Promise<ApiServer> {
  const { clock, logger, env = process.env, serviceAccountRoot: root = serviceAccountRoot } = options;
  const host = env['KUBERNETES_SERVICE_HOST'] ?? '';
  const port = env['KUBERNETES_SERVICE_PORT'] ?? '';
  if (host === '' || port === '')
    throw new KubeError(
      'config',
      'not running in a cluster (KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set) and no --kubeconfig given',
    );
  const url = `https://${isIPv6(host) ? `[${host}]` : host}:${port}`;
  if (!URL.canParse(url))
    throw new KubeError(
      'config',
      `KUBERNETES_SERVICE_HOST "${host}" and KUBERNETES_SERVICE_PORT "${port}" make no URL`,
    );
  const sources = {
    ca: { kind: 'file', path: join(root, 'ca.crt'), field: 'service account CA' },
    token: { kind: 'file', path: join(root, 'token'), field: 'service account token' },
  } as const;
  return {
    url: new URL(url),
    serverName: undefined,
    insecure: false,
    proxy: undefined,
    credentials: await Credentials.read(sources, async () => sources, clock, logger),
    source: 'in-cluster',
  };
}
