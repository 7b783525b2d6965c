import { join } from 'node:path';
import { asInImage } from './as-in-image.ts';
import type { Settings } from './settings.ts';
import { Simulation } from './simulation.ts';
import { startServer, type MetricsServer } from './subject.ts';

/** A calm simulated cluster with the servers that are compared, all in processes of their own. */
export class Stage {
  readonly settings: Settings;
  readonly simulation: Simulation;
  readonly kubetally: MetricsServer;
  /** Undefined when there is none to compare with. */
  readonly metricsServer: MetricsServer | undefined;

  private constructor(
    settings: Settings,
    simulation: Simulation,
    kubetally: MetricsServer,
    metricsServer: MetricsServer | undefined,
  ) {
    this.settings = settings;
    this.simulation = simulation;
    this.kubetally = kubetally;
    this.metricsServer = metricsServer;
  }

  /** Resolves when every server has usage of every node and pod. */
  static async start(settings: Settings): Promise<Stage> {
    const { size, resolution, program, metricsServer } = settings;
    const directory = join(settings.directory, 'stage');
    const simulation = await Simulation.start(directory, { ...size });
    const kubetally = await startServer('kubetally', asInImage(program), simulation, resolution);
    const other =
      metricsServer === undefined
        ? undefined
        : await startServer('metrics-server', [metricsServer], simulation, resolution);
    const stage = new Stage(settings, simulation, kubetally, other);
    try {
      for (const server of stage.servers)
        await server.untilStored(size.nodes, size.nodes * size.podsPerNode, 8000 * resolution);
      return stage;
    } catch (error) {
      await stage.stop();
      throw error;
    }
  }

  get servers(): readonly MetricsServer[] {
    return this.metricsServer === undefined ? [this.kubetally] : [this.kubetally, this.metricsServer];
  }

  async stop(): Promise<void> {
    await Promise.all(this.servers.map(async (server) => await server.stop()));
    await this.simulation.stop();
  }
}
