import { MetricsCatalog } from '../../src/metrics-api/catalog.ts';
import { systemClock } from '../../src/model/clock.ts';
import type { CertifiedKey } from '../../src/pki/authority.ts';
import { makeOpenApiDocuments } from '../../src/server/api/openapi.ts';
import {
  Health,
  healthEndpoints,
  pingCheck,
  shutdownCheck,
  type HealthCheck,
  type HealthEndpoint,
} from '../../src/server/health.ts';
import { routes, type RouterDependencies } from '../../src/server/router.ts';
import { silentLogger } from '../../src/telemetry/log.ts';
import { PieceMemory } from '../../src/wire/piece-memory.ts';
import { clientCertificate } from '../support/pki.ts';
import { nodeInfo, nodeUsage, podInfo, podUsage, TestCluster } from '../support/metrics-sources.ts';
import {
  clusterCertificates,
  ScriptedReviews,
  securedServer,
  type AccessSpec,
  type SecuredServer,
} from '../support/secured-server.ts';

/** The nodes, pods and labels that the answers were recorded with. */
export function recordedCluster(): TestCluster {
  const cluster = new TestCluster();
  for (let number = 0; number < 3; number++) {
    const name = `node-0000${number}`;
    const pool = number % 2 === 0 ? 'even' : 'odd';
    const labels = { pool, 'kubernetes.io/os': 'linux', 'kubernetes.io/hostname': name };
    cluster.addNode(nodeInfo(name, labels), nodeUsage(180_000_000 + number));
    for (let app = 0; app < 4; app++) {
      const podLabels = { app: `app-${app}`, tier: app % 3 === 0 ? 'front' : 'back' };
      cluster.addPod(podInfo(`team-${app % 2}`, `app-${app}-0000${number}`, podLabels), podUsage(name));
    }
  }
  return cluster;
}

/** The health checks of the recorded server; their names are part of every list of paths. */
const checks: readonly HealthCheck[] = [
  pingCheck,
  holding('log'),
  holding('poststarthook/max-in-flight-filter'),
  holding('poststarthook/storage-object-count-tracker-hook'),
  holding('metric-storage-ready', 'readyz'),
  holding('metric-informer-sync', 'readyz'),
  holding('metadata-informer-sync'),
  holding('metric-collection-timely', 'livez'),
  shutdownCheck(() => false),
];

/** A check that holds; without endpoints, on all. */
function holding(name: string, ...endpoints: HealthEndpoint[]): HealthCheck {
  return { name, endpoints: endpoints.length === 0 ? healthEndpoints : endpoints, check: () => undefined };
}

export function routerDependencies(
  cluster: TestCluster,
  health = new Health([pingCheck], silentLogger),
): RouterDependencies {
  return {
    catalog: new MetricsCatalog(cluster.objects, cluster.usage),
    now: () => systemClock.now(),
    served: () => undefined,
    admitsLargeList: () => true,
    largeListBegins: () => undefined,
    pieceMemory: new PieceMemory(),
    openApi: makeOpenApiDocuments('v0.1.0-test', () => systemClock.now()),
    version: {
      major: '0',
      minor: '1',
      gitVersion: 'v0.1.0-test',
      gitCommit: 'none',
      gitTreeState: 'clean',
      buildDate: '2026-11-22T00:00:00Z',
      goVersion: 'none',
      compiler: 'node',
      platform: 'linux/amd64',
    },
    serverAddress: () => ':4444',
    health,
    metricsPage: () => ({ contentType: 'text/plain; version=0.0.4', body: 'up 1\n' }),
  };
}

/** A server with that cluster behind it, and a client certificate for each of its users. */
export interface RecordedServer {
  readonly server: SecuredServer;
  readonly users: Readonly<Record<string, CertifiedKey>>;
}

export async function recordedServer(): Promise<RecordedServer> {
  const certificates = await clusterCertificates();
  const reviews = new ScriptedReviews();
  reviews.onAccess = (spec) => ({ allowed: viewerMay(spec) });
  const health = new Health(checks, silentLogger);
  const server = await securedServer({
    certificates,
    reviews,
    routes: [routes(routerDependencies(recordedCluster(), health))],
  });
  const { clients, proxies } = certificates;
  return {
    server,
    users: {
      admin: await clientCertificate(clients, 'admin', 'system:masters'),
      viewer: await clientCertificate(clients, 'viewer'),
      nobody: await clientCertificate(clients, 'nobody'),
      proxy: certificates.frontProxy,
      impostor: await clientCertificate(proxies, 'somebody-else'),
    },
  };
}

/** `viewer` may get and list; everybody authenticated may discover. */
function viewerMay({ user, groups = [], resourceAttributes, nonResourceAttributes }: AccessSpec): boolean {
  if (nonResourceAttributes !== undefined)
    return groups.includes('system:authenticated') && String(nonResourceAttributes['path']).startsWith('/apis');
  const { verb, resource } = resourceAttributes ?? {};
  return user === 'viewer' && (verb === 'get' || verb === 'list') && (resource === 'nodes' || resource === 'pods');
}
