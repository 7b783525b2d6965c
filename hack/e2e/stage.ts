import { appendFileSync, rmSync } from 'node:fs';
import { cp, mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/model/clock.ts';
import type { CertifiedKey } from '../../src/pki/authority.ts';
import { makeCertificates, type ClusterCertificates } from '../../src/sim/cluster-certificates.ts';
import type { Assets } from './assets.ts';
import { ControlPlane } from './control-plane.ts';
import { freePorts } from './free-ports.ts';
import { writeKubeconfig, type Credential } from './kubeconfig.ts';
import { Kubectl } from './kubectl.ts';
import { Kubetally } from './kubetally.ts';
import { LivingNodes } from './living-nodes.ts';
import { outside, render } from './registration.ts';

/** What the checks play on: a real control plane, nodes that live, and kubetally registered with it. All of it ends with `stop`. */
export class Stage {
  readonly directory: string;
  readonly certificates: ClusterCertificates;
  readonly hasControllers: boolean;
  readonly #assets: Assets;
  readonly #program: string;
  readonly #report: (text: string) => void;
  #plane: ControlPlane | undefined;
  #nodes: LivingNodes | undefined;
  readonly #servers: Kubetally[] = [];
  #stopping: Promise<void> | undefined;

  private constructor(
    assets: Assets,
    directory: string,
    certificates: ClusterCertificates,
    report: (text: string) => void,
  ) {
    this.#assets = assets;
    this.directory = directory;
    this.certificates = certificates;
    this.hasControllers = assets.kubeControllerManager !== undefined;
    this.#program = join(directory, 'main.js');
    this.#report = report;
  }

  /** An empty stage with a temporary folder of its own, which goes with the process whatever happens. */
  static async create(assets: Assets, report: (text: string) => void): Promise<Stage> {
    const directory = await mkdtemp(join(tmpdir(), 'kubetally-e2e-'));
    process.once('exit', () => rmSync(directory, { recursive: true, force: true, maxRetries: 3 }));
    return new Stage(assets, directory, await makeCertificates(systemClock), report);
  }

  get plane(): ControlPlane {
    return present(this.#plane);
  }

  get nodes(): LivingNodes {
    return present(this.#nodes);
  }

  /** The server that the APIServices lead to; it runs with the rights of `admin`. */
  get kubetally(): Kubetally {
    return present(this.#servers[0]);
  }

  /** Starts everything, in the order in which a cluster comes up. */
  async start(program: string): Promise<void> {
    // Away from node_modules: the bundle must need none.
    await cp(program, this.#program);
    await writeFile(join(this.directory, 'package.json'), '{"type":"module"}');
    this.#report('starting etcd, kube-apiserver and kube-controller-manager');
    this.#plane = await ControlPlane.start(this.#assets, this.certificates, await this.folder('control-plane'));
    this.#report(`control plane at ${this.plane.url}`);
    const problems = join(this.directory, 'nodes.log');
    this.#nodes = await LivingNodes.start(this.plane.admin, this.certificates, (text) =>
      appendFileSync(problems, `${new Date().toISOString()} ${text}\n`),
    );
    const admin = await this.kubectl('admin');
    for (const file of ['workloads', 'access']) await admin.run('apply', '-f', `test/e2e/data/${file}.yaml`);
    const kubetally = await this.serve(
      ['--metric-resolution=10s', '--kubelet-request-timeout=5s'],
      this.certificateOf('admin'),
    );
    const base = await render(admin, await this.folder('base'), {
      resource: 'base',
      patches: outside(kubetally.port),
    });
    await admin.feed(base, 'apply', '-f', '-');
    await kubetally.ready(30_000);
    this.#report(`kubetally ready at https://127.0.0.1:${kubetally.port}, registered for v1beta1 and v1`);
  }

  /** Starts a kubetally that talks to the cluster as somebody. */
  async serve(flags: readonly string[], credential: Credential): Promise<Kubetally> {
    const [port = 0] = await freePorts(1);
    const directory = await this.folder(`kubetally-${this.#servers.length}`);
    const kubeconfig = join(directory, 'kubeconfig');
    await writeKubeconfig(kubeconfig, this.plane.url, this.certificates.cluster.cert, credential);
    const authority = join(directory, 'kubelet-ca.crt');
    await writeFile(authority, this.certificates.kubelet.cert);
    const place = [
      `--kubeconfig=${kubeconfig}`,
      `--authentication-kubeconfig=${kubeconfig}`,
      `--authorization-kubeconfig=${kubeconfig}`,
      '--kubelet-preferred-address-types=InternalIP',
      '--kubelet-use-node-status-port',
      `--kubelet-certificate-authority=${authority}`,
      `--cert-dir=${join(directory, 'certificates')}`,
    ];
    const server = new Kubetally(this.#program, port, [...place, ...flags], join(directory, 'log'));
    this.#servers.push(server);
    return server;
  }

  /** The flags of the Deployment applied, without those that say where it stands. */
  async deployedFlags(): Promise<string[]> {
    const path = 'jsonpath={.spec.template.spec.containers[0].args}';
    const admin = await this.kubectl('admin');
    const args = await admin.run('get', 'deployment', 'kubetally', '-n', 'kube-system', '-o', path);
    return (JSON.parse(args) as string[]).filter(
      (flag) => !/^--(secure-port|kubelet-preferred-address-types)=/.test(flag),
    );
  }

  /** Of a person that the cluster's certificate authority knows: admin, viewer or nobody. */
  certificateOf(user: string): CertifiedKey {
    return present(this.certificates.users.get(user));
  }

  /** kubectl as that person, or as somebody with another credential. */
  async kubectl(user: string, credential: Credential = this.certificateOf(user)): Promise<Kubectl> {
    const kubeconfig = join(this.directory, `${user}.kubeconfig`);
    await writeKubeconfig(kubeconfig, this.plane.url, this.certificates.cluster.cert, credential);
    return new Kubectl(this.#assets.kubectl, kubeconfig, this.directory);
  }

  /** A folder of this name in the temporary directory. */
  async folder(name: string): Promise<string> {
    const path = join(this.directory, name);
    await mkdir(path, { recursive: true });
    return path;
  }

  /** The ends of all logs. */
  get lastWords(): string {
    const servers = this.#servers.map(({ daemon, port }) => `--- kubetally ${port}\n${daemon.lastWords}`);
    return [this.#plane?.lastWords ?? '', ...servers].join('\n');
  }

  /** A token of a service account, good for an hour. */
  async tokenOf(namespace: string, account: string): Promise<string> {
    const admin = await this.kubectl('admin');
    return (await admin.run('create', 'token', account, '-n', namespace, '--duration=1h')).trim();
  }

  /** Ends every process and listener; safe to call twice. */
  async stop(): Promise<void> {
    this.#stopping ??= (async () => {
      await Promise.all(this.#servers.map(async ({ daemon }) => await daemon.stop()));
      await this.#nodes?.stop();
      await this.#plane?.stop();
    })();
    await this.#stopping;
  }
}

function present<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error('the stage has not been started');
  return value;
}
