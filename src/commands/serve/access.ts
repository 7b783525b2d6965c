import { randomBytes } from 'node:crypto';
import type { ApiRequests } from '../../kube/late-client.ts';
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
  readonly kube: { readonly authentication: ApiRequests; readonly authorization: ApiRequests };
  /** Names the authorities whose client certificates are asked for. */
  readonly onAuthorities: (authorities: readonly string[]) => void;
}

/** Who may do what, as the cluster and the flags say. */
export interface Access {
  readonly authentication: Authentication;
  readonly authorization: Authorization;
  /** Reads the files that flags name. Rejects with `ServerError` `certificate` for one that cannot be used. */
  start(): Promise<void>;
  /** Follows what the cluster says besides. */
  follow(): void;
  /** Forgets what reviews of tokens and access have said so far. */
  forgetVerdicts(): void;
  stop(): Promise<void>;
}

/** How many tokens are judged at once. */
const maxTokensInFlight = 64;
const configMapPath = '/api/v1/namespaces/kube-system/configmaps';
const configMapName = 'extension-apiserver-authentication';

/** Joins authentication and authorization with the API server. */
export function createAccess(deps: AccessDependencies): Access {
  const { options, clock, random, telemetry, kube, onAuthorities } = deps;
  const log = deps.log.named('access');
  const config = new AuthenticationConfig(options.authentication, { clock, log, onAuthorities });
  const configMap =
    options.authentication.skipLookup || !config.needsConfigMap
      ? undefined
      : watchConfigMap(kube.authentication, config, deps);
  const discovery = {
    get: async (path: string, signal: AbortSignal) => await kube.authentication.get(path, { signal }),
  };
  const tokens = new TokenReviewer(
    {
      audiences: options.authentication.audiences,
      cacheTtl: options.authentication.tokenCacheTtl,
      cacheSize: options.authentication.cacheSize,
    },
    {
      reviews: reviewsOf(kube.authentication),
      onCache: (hit) => telemetry.reviewCacheAsked('authentication', hit),
      issuerKeys: new IssuerKeys({ discovery, clock, log }),
      hashKey: randomBytes(32),
      clock,
      random,
      log,
    },
  );
  const authorization = new Authorization(options.authorization, {
    reviews: reviewsOf(kube.authorization),
    onCache: (hit) => telemetry.reviewCacheAsked('authorization', hit),
    clock,
    random,
    log,
  });
  return {
    authentication: new Authentication({
      settings: () => config.settings,
      settingsLoaded: () => configMap === undefined || config.loaded,
      tokens,
      maxTokensInFlight,
      clock,
    }),
    authorization,
    forgetVerdicts() {
      authorization.forgetVerdicts();
      tokens.forgetVerdicts();
    },
    start: async () => await config.start(),
    follow: () => configMap?.start(),
    async stop() {
      config.stop();
      await configMap?.stop();
    },
  };
}

function reviewsOf(client: ApiRequests): ReviewClient {
  return {
    create: async (path, body, signal) => await client.create(path, body, { signal, timeout: milliseconds(10_000) }),
  };
}

/** Follows the ConfigMap in which kube-apiserver publishes its client and front-proxy authorities. One that goes away changes nothing. */
function watchConfigMap(
  client: ApiRequests,
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
