import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CertifiedKey } from '../../src/pki/authority.ts';
import { Daemon } from '../e2e/daemon.ts';
import { HttpsClient } from '../e2e/https-client.ts';
import { until } from '../e2e/wait.ts';
import type { ClusterRequest } from './cluster-process.ts';

interface NodeObject {
  readonly metadata: { readonly name: string };
  readonly status: {
    readonly addresses: readonly { readonly address: string }[];
    readonly daemonEndpoints: { readonly kubeletEndpoint: { readonly Port: number } };
  };
}

/** Where a kubelet listens. */
export interface KubeletTarget {
  readonly node: string;
  readonly origin: string;
}

const quiet = { churnPerMinute: 0, restartsPerMinute: 0, nodeChurnPerMinute: 0, workloads: 0 };
const program = new URL('cluster-process.ts', import.meta.url).pathname;
/** Milliseconds; thousands of kubelets take a while. */
const patience = 180_000;

/** Simulated kubelets and their API server in another process. */
export class Simulation {
  readonly directory: string;
  readonly request: ClusterRequest;
  readonly #daemon: Daemon;

  private constructor(directory: string, request: ClusterRequest, daemon: Daemon) {
    this.directory = directory;
    this.request = request;
    this.#daemon = daemon;
  }

  /** Resolves when it serves. Nothing of it is left running when this rejects. */
  static async start(
    directory: string,
    request: Pick<ClusterRequest, 'nodes' | 'podsPerNode'> & Partial<ClusterRequest>,
  ): Promise<Simulation> {
    await mkdir(directory, { recursive: true });
    const full = { ...quiet, ...request };
    // The machines of a real cluster do not collect their garbage on the server's cores: here V8 would, for a second each time, in as many threads as it likes.
    const command = [process.execPath, '--single-threaded-gc', '--import', 'tsx', program, directory];
    const daemon = new Daemon('simulated cluster', [...command, JSON.stringify(full)], join(directory, 'cluster.log'));
    try {
      await until(patience, 'the simulated cluster is up', async () => {
        if (!daemon.log.includes('is up') && daemon.exitCode === undefined) throw new Error('still starting');
      });
      if (daemon.exitCode !== undefined) throw new Error(`the simulated cluster ended:\n${daemon.lastWords}`);
    } catch (error) {
      await daemon.stop();
      throw error;
    }
    return new Simulation(directory, full, daemon);
  }

  get pid(): number {
    return this.#daemon.pid ?? 0;
  }

  get pods(): number {
    return this.request.nodes * this.request.podsPerNode + this.request.workloads * 10;
  }

  /** Of a member of `system:masters`. */
  get admin(): CertifiedKey {
    return { cert: this.file('admin.crt'), key: this.file('admin.key') };
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  file(name: string): string {
    return readFileSync(this.path(name), 'utf8');
  }

  /** The flags with which a metrics server, ours or the other, works in this cluster. */
  serverFlags(port: number, resolution: number, name: string): string[] {
    const kubeconfig = this.path('kubetally.kubeconfig');
    return [
      `--kubeconfig=${kubeconfig}`,
      `--authentication-kubeconfig=${kubeconfig}`,
      `--authorization-kubeconfig=${kubeconfig}`,
      '--bind-address=127.0.0.1',
      `--secure-port=${port}`,
      `--cert-dir=${this.path(name)}`,
      '--kubelet-preferred-address-types=InternalIP',
      '--kubelet-use-node-status-port',
      `--kubelet-certificate-authority=${this.path('kubelet-ca.crt')}`,
      `--metric-resolution=${resolution}s`,
      `--kubelet-request-timeout=${Math.min(10, resolution / 2)}s`,
    ];
  }

  /** Every kubelet's address, as the API server tells it. */
  async kubelets(): Promise<readonly KubeletTarget[]> {
    const [, url = ''] = /server: (\S+)/.exec(this.file('admin.kubeconfig')) ?? [];
    const api = new HttpsClient({ url, ca: this.file('ca.crt'), client: this.admin });
    const { items } = await api.read<{ readonly items: readonly NodeObject[] }>('/api/v1/nodes');
    return items.map(({ metadata, status }) => {
      const port = status.daemonEndpoints.kubeletEndpoint.Port;
      return { node: metadata.name, origin: `https://${status.addresses[0]?.address}:${port}` };
    });
  }

  /** Makes kubelets misbehave from now on, in the form of `kubetally sim --faults`; `{}` ends it. */
  async setFaults(faults: Readonly<Record<string, unknown>>): Promise<void> {
    await writeFile(this.path('faults.json'), JSON.stringify(faults));
  }

  async stop(): Promise<void> {
    await this.#daemon.stop();
  }
}
