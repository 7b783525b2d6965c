import { systemClock, type Clock } from '../../src/model/clock.ts';
import { milliseconds, seconds } from '../../src/model/units.ts';
import type { CertificateAuthority, CertifiedKey } from '../../src/pki/authority.ts';
import { writeStatus } from '../../src/server/api/endpoint.ts';
import { createApp, type AppOptions } from '../../src/server/app.ts';
import { AuthenticationConfig, type AuthenticationFlags } from '../../src/server/authentication-config.ts';
import { Authentication } from '../../src/server/authentication.ts';
import { Authorization } from '../../src/server/authorization.ts';
import { IssuerKeys } from '../../src/server/issuer-keys.ts';
import { defaultLimits } from '../../src/server/listener-limits.ts';
import { Listener } from '../../src/server/listener.ts';
import type { RequestRecord } from '../../src/server/request-observer.ts';
import { stateOf } from '../../src/server/request-state.ts';
import type { ReviewClient } from '../../src/server/review-client.ts';
import { TokenReviewer } from '../../src/server/token-review.ts';
import type { Middleware } from 'koa';
import { clientCertificate, servingCertificate, testAuthority } from './pki.ts';
import { RecordingLogger } from './recording-logger.ts';
import type { Target } from './tls-client.ts';

/** The certificates of a cluster: two authorities for clients, one for the server. */
export interface ClusterCertificates {
  readonly serving: CertifiedKey;
  readonly servingCa: string;
  readonly proxies: CertificateAuthority;
  readonly clients: CertificateAuthority;
  readonly frontProxy: CertifiedKey;
}

export async function clusterCertificates(): Promise<ClusterCertificates> {
  const serving = await testAuthority('serving-ca');
  const proxies = await testAuthority('front-proxy-ca');
  return {
    serving: await servingCertificate(serving, 'localhost', '127.0.0.1'),
    servingCa: serving.cert,
    proxies,
    clients: await testAuthority('client-ca'),
    frontProxy: await clientCertificate(proxies, 'front-proxy-client'),
  };
}

/** The ConfigMap `extension-apiserver-authentication` that kube-apiserver would write. */
export function authenticationConfigMap(certificates: ClusterCertificates): Record<string, string> {
  return {
    'client-ca-file': certificates.clients.cert,
    'requestheader-client-ca-file': certificates.proxies.cert,
    'requestheader-allowed-names': '["front-proxy-client"]',
    'requestheader-username-headers': '["X-Remote-User"]',
    'requestheader-uid-headers': '["X-Remote-Uid"]',
    'requestheader-group-headers': '["X-Remote-Group"]',
    'requestheader-extra-headers-prefix': '["X-Remote-Extra-"]',
  };
}

/** Answers reviews as a test says, and remembers what was asked. */
export class ScriptedReviews implements ReviewClient {
  readonly tokens: string[] = [];
  readonly accesses: object[] = [];
  /** By token; undefined refuses. May throw. */
  onToken: (token: string) => object | undefined | Promise<object | undefined> = () => undefined;
  onAccess: (spec: AccessSpec) => object | Promise<object> = () => ({ allowed: false });

  async create(path: string, body: object): Promise<unknown> {
    const { spec } = body as { spec: AccessSpec & { token: string } };
    if (path === '/apis/authentication.k8s.io/v1/tokenreviews') {
      this.tokens.push(spec.token);
      const user = await this.onToken(spec.token);
      return {
        ...body,
        status: user === undefined ? { error: 'invalid bearer token' } : { authenticated: true, user },
      };
    }
    this.accesses.push(spec);
    return { ...body, status: await this.onAccess(spec) };
  }
}

export interface AccessSpec {
  readonly user: string;
  readonly groups?: readonly string[];
  readonly resourceAttributes?: Readonly<Record<string, string>>;
  readonly nonResourceAttributes?: Readonly<Record<string, unknown>>;
}

export interface SecuredServerSetup {
  readonly certificates: ClusterCertificates;
  readonly reviews?: ScriptedReviews;
  readonly clock?: Clock;
  readonly configMap?: Readonly<Record<string, string>> | undefined;
  readonly flags?: Partial<AuthenticationFlags>;
  readonly app?: Partial<AppOptions>;
  readonly routes?: readonly Middleware[];
  readonly discovery?: (path: string) => Promise<unknown>;
  /** Milliseconds for which verdicts about access are remembered, 10 s unless given. */
  readonly cacheTtl?: number;
}

/** A listener with the whole application behind it; by default it answers who asked and for what, as JSON. */
export interface SecuredServer {
  readonly target: Target;
  readonly listener: Listener;
  readonly config: AuthenticationConfig;
  readonly reviews: ScriptedReviews;
  readonly records: RequestRecord[];
  /** How authentications and authorizations ended. */
  readonly outcomes: string[];
  readonly log: RecordingLogger;
  /** Begins no more requests and gives those under way half a minute. */
  drain(): Promise<void>;
  stop(): Promise<void>;
}

const noFlags: AuthenticationFlags = {
  clientCaFile: undefined,
  requestHeader: {
    clientCaFile: undefined,
    allowedNames: [],
    usernameHeaders: ['x-remote-user'],
    uidHeaders: [],
    groupHeaders: ['x-remote-group'],
    extraHeadersPrefix: ['x-remote-extra-'],
  },
};

const whoAmI: Middleware = (ctx) => {
  const { user, requestInfo } = stateOf(ctx);
  ctx.set('Content-Type', 'application/json');
  ctx.body = JSON.stringify({ user, verb: requestInfo.verb, path: requestInfo.path, headers: ctx.req.rawHeaders });
};

export async function securedServer(setup: SecuredServerSetup): Promise<SecuredServer> {
  const clock = setup.clock ?? systemClock;
  const log = new RecordingLogger();
  const reviews = setup.reviews ?? new ScriptedReviews();
  const config = new AuthenticationConfig({ ...noFlags, ...setup.flags }, { clock, log });
  await config.start();
  config.apply('configMap' in setup ? setup.configMap : authenticationConfigMap(setup.certificates));
  const reviewing = { reviews, clock, random: () => 0, log };
  const { discovery } = setup;
  const tokens = new TokenReviewer(
    { audiences: [], cacheTtl: seconds(10), cacheSize: 100 },
    {
      ...reviewing,
      hashKey: new Uint8Array(32),
      issuerKeys: discovery && new IssuerKeys({ discovery: { get: discovery }, clock, log }),
    },
  );
  let draining = false;
  const records: RequestRecord[] = [];
  const outcomes: string[] = [];
  const handler = createApp(
    { maxRequestsInflight: 400, requestTimeout: seconds(60), ...setup.app },
    {
      authentication: new Authentication({
        settings: () => config.settings,
        settingsLoaded: () => config.loaded,
        tokens,
        maxTokensInFlight: 400,
        clock,
      }),
      authorization: new Authorization(
        {
          alwaysAllowPaths: ['/healthz', '/livez', '/readyz'],
          allowedTtl: milliseconds(setup.cacheTtl ?? 10_000),
          deniedTtl: milliseconds(setup.cacheTtl ?? 10_000),
          cacheSize: 100,
        },
        reviewing,
      ),
      routes: setup.routes ?? [whoAmI],
      writeError: writeStatus,
      observer: {
        inFlight: () => undefined,
        rejected: () => undefined,
        authenticated: (result) => void outcomes.push(result),
        authorized: (result) => void outcomes.push(result),
        finished: (record) => void records.push(record),
      },
      isDraining: () => draining,
      clock,
      log,
      newAuditId: () => 'made-here',
    },
  );
  const listener = new Listener(
    { host: '127.0.0.1', port: 0, http2: true, minVersion: 'TLSv1.2', ciphers: undefined, limits: defaultLimits },
    setup.certificates.serving,
    { handler, clock: systemClock, random: () => 0.5, log },
  );
  const port = await listener.listen();
  return {
    target: { port, ca: setup.certificates.servingCa },
    listener,
    config,
    reviews,
    records,
    outcomes,
    log,
    async drain() {
      draining = true;
      await listener.stop(seconds(30));
    },
    async stop() {
      config.stop();
      await listener.stop(milliseconds(0));
    },
  };
}
