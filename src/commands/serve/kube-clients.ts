import { KubeClient } from '../../kube/client.ts';
import { loadApiServer } from '../../kube/config.ts';
import type { KubeCredentials } from '../../kube/credentials.ts';
import type { Clock } from '../../model/clock.ts';
import type { ServeOptions } from '../../options/serve-options.ts';
import type { RootLogger } from '../../telemetry/logger.ts';
import type { Telemetry } from '../../telemetry/telemetry.ts';
import { build } from '../../version.ts';

interface KubeClientsDependencies {
  readonly options: ServeOptions;
  readonly clock: Clock;
  readonly log: RootLogger;
  readonly telemetry: Telemetry;
}

/** The API server as three flags name it: one client for each kubeconfig that is named. */
export interface KubeClients {
  /** `--kubeconfig`. */
  readonly main: KubeClient;
  /** `--authentication-kubeconfig`. */
  readonly authentication: KubeClient;
  /** `--authorization-kubeconfig`. */
  readonly authorization: KubeClient;
  /** Those of `main`. */
  readonly credentials: KubeCredentials;
  close(): Promise<void>;
}

/** Rejects with `KubeError` `config` for a kubeconfig that cannot be used, or when there is neither one nor a cluster around. */
export async function createKubeClients({
  options,
  clock,
  log,
  telemetry,
}: KubeClientsDependencies): Promise<KubeClients> {
  const clients: KubeClient[] = [];
  const close = async (): Promise<void> =>
    void (await Promise.all(clients.map(async (client) => await client.close())));
  const connect = async (kubeconfig: string | undefined) => {
    const server = await loadApiServer({ kubeconfig, clock, logger: log.named('kube') });
    const client = new KubeClient(server, {
      clock,
      userAgent: `kubetally/${build.version}`,
      onRequest: (method, status, duration) => telemetry.kubeRequestFinished(method, status, duration),
    });
    clients.push(client);
    return { client, credentials: server.credentials };
  };
  try {
    const { client: main, credentials } = await connect(options.kubeconfig);
    const byKubeconfig = new Map([[options.kubeconfig, main]]);
    const own = async (kubeconfig = options.kubeconfig): Promise<KubeClient> => {
      const client = byKubeconfig.get(kubeconfig) ?? (await connect(kubeconfig)).client;
      byKubeconfig.set(kubeconfig, client);
      return client;
    };
    const authentication = await own(options.authentication.kubeconfig);
    const authorization = await own(options.authorization.kubeconfig);
    return { main, authentication, authorization, credentials, close };
  } catch (error) {
    await close();
    throw error;
  }
}
