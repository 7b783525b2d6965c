import { randomBytes } from 'node:crypto';
import { loadApiServer } from '../../kube/config.ts';
import { KubeClient } from '../../kube/client.ts';
import { ListWatch } from '../../kube/list-watch.ts';
import type { Clock } from '../../model/clock.ts';
import { milliseconds } from '../../model/units.ts';
import type { ServeOptions } from '../../options/serve-options.ts';
import { Authentication } from '../../server/authentication.ts';
import { AuthenticationConfig } from '../../server/authentication-config.ts';
import { Authorization } from '../../server/authorization.ts';
import { IssuerKeys } from '../../server/issuer-keys.ts';
import type { ReviewClient } from '../../server/review-client.ts';
import { TokenReviewer } from '../../server/token-review.ts';
import type { RootLogger } from '../../telemetry/logger.ts';
import type { Telemetry } from '../../telemetry/telemetry.ts';

export interface AccessDependencies {
  readonly options: ServeOptions;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: RootLogger;
  readonly telemetry: Telemetry;
  /** The client for everything that no flag gives a kubeconfig of its own. */
  readonly kube: KubeClient;
  /** Names the authorities whose client certificates are asked for. */
  readonly onAuthorities: (authorities: readonly string[]) => void;
}

/** Who may do what, as the cluster and the flags say. */
export interface Access {
  readonly authentication: Authentication;
  readonly authorization: Authorization;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** How many tokens are judged at once. */
const maxTokensInFlight = 64;
const configMapPath = '/api/v1/namespaces/kube-system/configmaps';
const configMapName = 'extension-apiserver-authentication';

/** Joins authentication and authorization with the API server. Rejects with `KubeError` `config` for a kubeconfig that cannot be used. */
export async function createAccess(deps: AccessDependencies): Promise<Access> {
  const { options, clock, random, telemetry, onAuthorities } = deps;
  const log = deps.log.named('access');
  const own: KubeClient[] = [];
  const clientFor = async (kubeconfig: string | undefined): Promise<KubeClient> => {
    if (kubeconfig === undefined) return deps.kube;
    const client = new KubeClient(await loadApiServer({ kubeconfig, clock, logger: log }), {
      clock,
      onRequest: (method, status, duration) => telemetry.kubeRequestFinished(method, status, duration),
    });
    own.push(client);
    return client;
  };
  const authenticationClient = await clientFor(options.authentication.kubeconfig);
  const authorizationClient = await clientFor(options.authorization.kubeconfig);

  const config = new AuthenticationConfig(options.authentication, { clock, log, onAuthorities });
  const configMap =
    options.authentication.skipLookup || !config.needsConfigMap
      ? undefined
      : watchConfigMap(authenticationClient, config, deps);
  const discovery = {
    get: async (path: string, signal: AbortSignal) => await authenticationClient.get(path, { signal }),
  };
  const tokens = new TokenReviewer(
    {
      audiences: options.authentication.audiences,
      cacheTtl: options.authentication.tokenCacheTtl,
      cacheSize: options.authentication.cacheSize,
    },
    {
      reviews: reviewsOf(authenticationClient),
      onCache: (hit) => telemetry.reviewCacheAsked('authentication', hit),
      issuerKeys: new IssuerKeys({ discovery, clock, log }),
      hashKey: randomBytes(32),
      clock,
      random,
      log,
    },
  );
  return {
    authentication: new Authentication({
      settings: () => config.settings,
      settingsLoaded: () => configMap === undefined || config.loaded,
      tokens,
      maxTokensInFlight,
      clock,
    }),
    authorization: new Authorization(options.authorization, {
      reviews: reviewsOf(authorizationClient),
      onCache: (hit) => telemetry.reviewCacheAsked('authorization', hit),
      clock,
      random,
      log,
    }),
    async start() {
      await config.start();
      configMap?.start();
    },
    async stop() {
      config.stop();
      await configMap?.stop();
      await Promise.all(own.map(async (client) => await client.close()));
    },
  };
}

function reviewsOf(client: KubeClient): ReviewClient {
  return {
    create: async (path, body, signal) => await client.create(path, body, { signal, timeout: milliseconds(10_000) }),
  };
}

/** Follows the ConfigMap in which kube-apiserver publishes its client and front-proxy authorities. One that goes away changes nothing. */
function watchConfigMap(
  client: KubeClient,
  config: AuthenticationConfig,
  { clock, log, telemetry, random }: AccessDependencies,
): ListWatch<ConfigMapData> {
  const apply = (data: ConfigMapData): void => config.apply(data);
  return new ListWatch<ConfigMapData>({
    client,
    path: configMapPath,
    metadataOnly: false,
    fieldSelector: `metadata.name=${configMapName}`,
    project: dataOf,
    sink: {
      replace(objects) {
        for (const data of objects) apply(data);
      },
      upsert: apply,
      remove() {},
    },
    clock,
    logger: log.named('access'),
    random,
    onRestart: (reason) => telemetry.watchRestarted('configmaps', reason),
  });
}

type ConfigMapData = Readonly<Record<string, string>>;

/** The `data` of a ConfigMap, entries that are not text left out. */
function dataOf(object: unknown): ConfigMapData | undefined {
  if (typeof object !== 'object' || object === null || !('data' in object)) return undefined;
  const { data } = object;
  if (typeof data !== 'object' || data === null) return undefined;
  return Object.fromEntries(
    Object.entries(data).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}
