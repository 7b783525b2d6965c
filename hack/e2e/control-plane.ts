import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CertifiedKey } from '../../src/pki/authority.ts';
import type { ClusterCertificates } from '../../src/sim/cluster-certificates.ts';
import type { Assets } from './assets.ts';
import { Daemon } from './daemon.ts';
import { freePorts } from './free-ports.ts';
import { HttpsClient } from './https-client.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import { until } from './wait.ts';

/** Controllers that Deployments, autoscaling, aggregated roles and namespaces need; none that judges nodes by their leases. */
const controllers = [
  'deployment-controller',
  'replicaset-controller',
  'horizontal-pod-autoscaler-controller',
  'clusterrole-aggregation-controller',
  'namespace-controller',
  'serviceaccount-controller',
  'garbage-collector-controller',
];

/** Milliseconds until programs that will not be used again are killed; an API server waits for its watches. */
const patience = 2000;

/** etcd, kube-apiserver with the aggregation layer, and kube-controller-manager, on free ports of 127.0.0.1. */
export class ControlPlane {
  readonly url: string;
  /** Asks the API server as a member of `system:masters`. */
  readonly admin: HttpsClient;
  readonly #apiServerCommand: readonly string[];
  readonly #log: string;
  readonly #daemons = new Set<Daemon>();
  #apiServer: Daemon | undefined;

  private constructor(url: string, admin: HttpsClient, apiServerCommand: readonly string[], log: string) {
    this.url = url;
    this.admin = admin;
    this.#apiServerCommand = apiServerCommand;
    this.#log = log;
  }

  /** Starts everything with files in `directory`; resolves when the API server is ready. Nothing is left running when it rejects. */
  static async start(assets: Assets, certificates: ClusterCertificates, directory: string): Promise<ControlPlane> {
    const [api = 0, client = 0, peer = 0, manager = 0] = await freePorts(4);
    const url = `https://127.0.0.1:${api}`;
    const files = new Files(directory);
    const store = `http://127.0.0.1:${client}`;
    const command = [assets.kubeApiServer, ...(await apiServerFlags(files, certificates, api, store))];
    const adminPair = certificates.users.get('admin') ?? (await certificates.clientOf('admin', ['system:masters']));
    const admin = new HttpsClient({ url, ca: certificates.cluster.cert, client: adminPair });
    const plane = new ControlPlane(url, admin, command, files.path('kube-apiserver.log'));
    try {
      plane.#run('etcd', [assets.etcd, ...etcdFlags(files.path('etcd'), store, peer)], files.path('etcd.log'));
      await plane.startApiServer();
      if (assets.kubeControllerManager !== undefined) {
        const kubeconfig = files.path('controller-manager.kubeconfig');
        const pair = await certificates.clientOf('system:kube-controller-manager');
        await writeKubeconfig(kubeconfig, url, certificates.cluster.cert, pair);
        const flags = controllerManagerFlags(kubeconfig, manager);
        plane.#run('kube-controller-manager', [assets.kubeControllerManager, ...flags], files.path('manager.log'));
      }
      return plane;
    } catch (error) {
      await plane.stop();
      throw error;
    }
  }

  /** Starts the API server, also again after `crashApiServer`; resolves when it is ready. */
  async startApiServer(): Promise<void> {
    const daemon = this.#run('kube-apiserver', this.#apiServerCommand, this.#log);
    this.#apiServer = daemon;
    await until(60_000, 'kube-apiserver is ready', async () => {
      if (daemon.exitCode !== undefined) throw new Error(`kube-apiserver ended:\n${daemon.lastWords}`);
      const { status, body } = await this.admin.ask('/readyz');
      if (status !== 200) throw new Error(body);
    });
  }

  /** Kills the API server without a warning. */
  async crashApiServer(): Promise<void> {
    if (this.#apiServer === undefined) return;
    await this.#apiServer.crash();
    this.#daemons.delete(this.#apiServer);
  }

  /** Ends everything, etcd last. */
  async stop(): Promise<void> {
    for (const daemon of [...this.#daemons].reverse()) await daemon.stop(patience);
    this.#daemons.clear();
  }

  /** The end of every log, for a failed start. */
  get lastWords(): string {
    return [...this.#daemons].map((daemon) => `--- ${daemon.name}\n${daemon.lastWords}`).join('\n');
  }

  #run(name: string, command: readonly string[], log: string): Daemon {
    const daemon = new Daemon(name, command, log);
    this.#daemons.add(daemon);
    return daemon;
  }
}

class Files {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  path(name: string): string {
    return join(this.#directory, name);
  }

  async write(name: string, content: string): Promise<string> {
    await writeFile(this.path(name), content, { mode: 0o600 });
    return this.path(name);
  }

  async writePair(name: string, { cert, key }: CertifiedKey): Promise<readonly [cert: string, key: string]> {
    return [await this.write(`${name}.crt`, cert), await this.write(`${name}.key`, key)];
  }
}

function etcdFlags(data: string, client: string, peerPort: number): string[] {
  const peer = `http://127.0.0.1:${peerPort}`;
  return [
    `--data-dir=${data}`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
    '--unsafe-no-fsync',
    '--log-level=error',
  ];
}

async function apiServerFlags(
  files: Files,
  certificates: ClusterCertificates,
  port: number,
  store: string,
): Promise<string[]> {
  const [cert, key] = await files.writePair('apiserver', certificates.apiServer);
  const [proxyCert, proxyKey] = await files.writePair('front-proxy', certificates.proxyClient);
  const accounts = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  return [
    `--etcd-servers=${store}`,
    `--secure-port=${port}`,
    '--bind-address=127.0.0.1',
    // Nobody uses the Service `kubernetes`, and a loopback address cannot be advertised.
    '--endpoint-reconciler-type=none',
    '--advertise-address=192.0.2.1',
    `--tls-cert-file=${cert}`,
    `--tls-private-key-file=${key}`,
    `--client-ca-file=${await files.write('ca.crt', certificates.cluster.cert)}`,
    `--service-account-key-file=${await files.write('accounts.pub', accounts.publicKey)}`,
    `--service-account-signing-key-file=${await files.write('accounts.key', accounts.privateKey)}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    '--service-cluster-ip-range=10.0.0.0/24',
    '--authorization-mode=RBAC',
    `--requestheader-client-ca-file=${await files.write('front-proxy-ca.crt', certificates.frontProxy.cert)}`,
    '--requestheader-allowed-names=front-proxy-client',
    '--requestheader-username-headers=X-Remote-User',
    '--requestheader-group-headers=X-Remote-Group',
    '--requestheader-extra-headers-prefix=X-Remote-Extra-',
    `--proxy-client-cert-file=${proxyCert}`,
    `--proxy-client-key-file=${proxyKey}`,
    // No controller here takes the first taint off a node or gives a new namespace its service account in time.
    '--disable-admission-plugins=TaintNodesByCondition,ServiceAccount',
  ];
}

function controllerManagerFlags(kubeconfig: string, port: number): string[] {
  return [
    `--kubeconfig=${kubeconfig}`,
    `--authentication-kubeconfig=${kubeconfig}`,
    `--authorization-kubeconfig=${kubeconfig}`,
    '--bind-address=127.0.0.1',
    `--secure-port=${port}`,
    '--leader-elect=false',
    // Every controller has the rights of its bootstrap role and no others, as in a cluster.
    '--use-service-account-credentials',
    `--controllers=${controllers.join(',')}`,
    '--horizontal-pod-autoscaler-sync-period=5s',
  ];
}
