import { randomUUID } from 'node:crypto';
import { MetricsCatalog } from '../../metrics-api/catalog.ts';
import type { ApiRequests } from '../../kube/late-client.ts';
import type { Clock } from '../../model/clock.ts';
import { openSslCiphers } from '../../options/cipher-suites.ts';
import type { ServeOptions } from '../../options/serve-options.ts';
import type { CertifiedKey } from '../../pki/authority.ts';
import { makeOpenApiDocuments } from '../../server/api/openapi.ts';
import { writeStatus } from '../../server/api/endpoint.ts';
import type { VersionInfo } from '../../server/api/version.ts';
import { createApp } from '../../server/app.ts';
import { validUntil } from '../../server/certificate-leaf.ts';
import { Health } from '../../server/health.ts';
import { defaultLimits } from '../../server/listener-limits.ts';
import { Listener, type ListenerDependencies } from '../../server/listener.ts';
import type { RequestObserver, RequestRecord } from '../../server/request-observer.ts';
import { routes } from '../../server/router.ts';
import type { RootLogger } from '../../telemetry/logger.ts';
import type { Telemetry } from '../../telemetry/telemetry.ts';
import { build } from '../../version.ts';
import { PieceMemory } from '../../wire/piece-memory.ts';
import { createAccess, type Access } from './access.ts';
import { servingCertificate } from './certificate.ts';
import type { Holdings } from './holdings.ts';
import { createMemoryGuard } from './memory.ts';
import { healthChecks, progressOf, type Progress } from './readiness.ts';

export interface FrontDependencies {
  readonly options: ServeOptions;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: RootLogger;
  readonly logOutput: { readonly stuck: boolean };
  readonly telemetry: Telemetry;
  readonly kube: Readonly<Record<'main' | 'authentication' | 'authorization', ApiRequests>>;
  readonly holdings: Holdings;
  /** What fills the holdings; undefined before that has begun. */
  readonly collection: () => Progress | undefined;
}

/** The half of the server that answers. */
export interface Front {
  /** Resolves to the port. Rejects with `ServerError` `listen`, or `certificate` for a file that cannot be used. */
  start(): Promise<number>;
  /** Follows what the API server says of certificate and access. */
  follow(): void;
  /** From now on `readyz` fails. */
  withdraw(): void;
  /** Begins no more requests, lets those under way finish within the grace period. */
  stop(): Promise<void>;
}

/** Joins certificate, access control, routes and listener. Rejects with `ServerError` for what the flags name and cannot be used. */
export async function createFront(deps: FrontDependencies): Promise<Front> {
  const { options, clock, log, telemetry, kube, holdings } = deps;
  const { serving } = options;
  const certificate = await servingCertificate(serving, {
    ...deps,
    kube: kube.main,
    log: log.named('certificate'),
  });
  let started = false;
  let stopping = false;
  let draining = false;
  let port = serving.securePort;
  // No authorities are known before `start`, and by then there is the listener.
  const access: Access = createAccess({
    ...deps,
    onAuthorities: (authorities) => listener.setClientAuthorities(authorities),
  });
  const { check } = certificate;
  const health = new Health(
    [
      ...healthChecks({
        ...holdings,
        ...progressOf(deps.collection),
        resolution: options.metricResolution,
        logOutput: deps.logOutput,
        isStarted: () => started,
        isStopping: () => stopping,
      }),
      ...(check === undefined ? [] : [{ name: 'serving-ca', endpoints: ['readyz'] as const, check }]),
    ],
    log.named('health'),
  );
  const catalog = new MetricsCatalog(holdings.inventory, holdings.store);
  const pieceMemory = new PieceMemory();
  const memory = createMemoryGuard({
    ...deps,
    // By then most windows are others, and would be encoded anew.
    tidy() {
      catalog.forgetLists();
      pieceMemory.forget();
    },
    droppable: [
      { name: 'encoded', drop: () => catalog.forgetEncoded() },
      { name: 'verdicts', drop: () => access.forgetVerdicts() },
    ],
  });
  const handler = createApp(
    { maxRequestsInflight: serving.maxRequestsInflight, requestTimeout: serving.requestTimeout },
    {
      ...access,
      routes: [
        routes({
          catalog,
          admitsLargeList() {
            const admitted = memory.admitsLargeAnswer();
            if (!admitted) telemetry.requestRejected('memory');
            return admitted;
          },
          largeListBegins: () => memory.largeAnswerBegins(),
          pieceMemory,
          now: () => clock.now(),
          served: (age) => telemetry.metricsServed(age),
          openApi: makeOpenApiDocuments(`v${build.version}`, () => clock.now()),
          version: versionInfo(),
          serverAddress: () => `${serving.bindAddress || '0.0.0.0'}:${port}`,
          health,
          metricsPage: async () => await telemetry.exposition(),
        }),
      ],
      writeError: writeStatus,
      isDraining: () => draining,
      observer: requestObserver(telemetry, log.named('access')),
      clock,
      log: log.named('server'),
      newAuditId: () => randomUUID(),
    },
  );
  const listener = createListener(deps, certificate.current, handler);
  const tellExpiry = ({ cert }: CertifiedKey): void => telemetry.servingCertificateLoaded(validUntil(cert));
  telemetry.observe({ connections: () => listener.connectionCount });
  return {
    async start() {
      await access.start();
      tellExpiry(certificate.current);
      port = await listener.listen();
      started = true;
      memory.start();
      log.info('Serving securely', { address: serving.bindAddress, port });
      return port;
    },
    follow() {
      access.follow();
      certificate.follow((next) => {
        try {
          listener.setCertificate(next);
          tellExpiry(next);
        } catch (error) {
          log.error(error, 'New serving certificate cannot be used, keeping the old one');
        }
      });
    },
    withdraw() {
      stopping = true;
    },
    async stop() {
      draining = true;
      certificate.stop();
      await listener.stop(serving.shutdownGracePeriod);
      memory.stop();
      await access.stop();
    },
  };
}

/** The listener that the flags ask for; it does not listen yet. */
function createListener(
  { options: { serving }, clock, random, log, telemetry }: FrontDependencies,
  certificate: CertifiedKey,
  handler: ListenerDependencies['handler'],
): Listener {
  return new Listener(
    {
      host: serving.bindAddress,
      port: serving.securePort,
      http2: serving.http2,
      minVersion: serving.minVersion,
      ciphers: serving.cipherSuites.length === 0 ? undefined : openSslCiphers(serving.cipherSuites),
      limits: {
        ...defaultLimits,
        maxConnections: serving.maxConnections,
        maxConcurrentStreams: serving.http2MaxStreams,
        connectionLifetime: serving.connectionMaxAge,
      },
    },
    certificate,
    {
      handler,
      clock,
      random,
      log: log.named('server'),
      onTooLarge: () => telemetry.requestRejected('too_large'),
    },
  );
}

function requestObserver(telemetry: Telemetry, log: RootLogger): RequestObserver {
  return {
    inFlight: (count) => telemetry.requestsInFlight(count),
    rejected: (reason) => telemetry.requestRejected(reason),
    authenticated: (result, duration) => telemetry.authenticationFinished(result, duration),
    authorized: (result, duration) => telemetry.authorizationFinished(result, duration),
    finished(record) {
      const { info, duration, status } = record;
      telemetry.requestFinished({
        verb: info.verb,
        code: status,
        duration,
        ...(info.isResourceRequest
          ? { resource: { version: info.apiVersion, name: info.resource, scope: scopeOf(record) } }
          : {}),
      });
      if (log.enabled(3)) logRequest(record, log);
    },
  };
}

function scopeOf({ info: { name, namespace } }: RequestRecord): 'resource' | 'namespace' | 'cluster' {
  if (name !== '') return 'resource';
  return namespace === '' ? 'cluster' : 'namespace';
}

function logRequest(
  { info, user, status, duration, aborted, protocol, remoteAddress, userAgent, auditId }: RequestRecord,
  log: RootLogger,
): void {
  log.verbose(3, 'HTTP', {
    verb: info.verb,
    path: info.path,
    status,
    milliseconds: Math.round(duration * 1000) / 1000,
    user: user?.name,
    protocol,
    remoteAddress,
    userAgent,
    auditId,
    aborted,
  });
}

function versionInfo(): VersionInfo {
  const [major = '', minor = ''] = build.version.split('.');
  return {
    major,
    minor,
    gitVersion: `v${build.version}`,
    gitCommit: build.commit,
    gitTreeState: build.treeState,
    buildDate: build.date,
    goVersion: `node${process.version.slice(1)}`,
    compiler: 'v8',
    platform: `${process.platform}/${process.arch === 'x64' ? 'amd64' : process.arch}`,
  };
}
