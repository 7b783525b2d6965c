import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { manifests, readObjects, type ManifestObject } from './manifest-objects.ts';

export const chart = join(manifests, 'chart');

/** Where Debian's packages put Go's libraries. */
const goPath = '/usr/share/gocode';

/** Why charts cannot be rendered here, or false when they can: the value of `skip`. In CI they must be. */
export function withoutRenderer(): string | false {
  if (process.env['CI'] !== undefined) return false;
  const installed = existsSync(join(goPath, 'src/github.com/Masterminds/sprig')) && spawnSync('go', ['version']).status;
  return installed === 0 ? false : 'neither Go nor its template functions are installed: hack/render-chart says how';
}

/** What a release of the chart would be. */
export interface Release {
  readonly objects: ManifestObject[];
  readonly notes: string;
}

/** Our chart, rendered by `hack/render-chart`. */
export class ChartRenderer {
  readonly #directory = mkdtempSync(join(tmpdir(), 'chart-'));

  constructor() {
    const build = spawnSync('go', ['build', '-o', join(this.#directory, 'render'), './hack/render-chart'], {
      cwd: join(manifests, '..'),
      env: { ...process.env, CGO_ENABLED: '0', GO111MODULE: 'off', GOPATH: goPath, GOFLAGS: '' },
      encoding: 'utf8',
    });
    if (build.status === 0) return;
    this.dispose();
    assert.fail(build.error?.message ?? build.stderr);
  }

  dispose(): void {
    rmSync(this.#directory, { recursive: true });
  }

  render(values: object = {}, name = 'kubetally'): Release {
    const { status, stdout, stderr } = this.#run(values, name);
    assert.equal(status, 0, stderr);
    const [objects = '', notes = ''] = stdout.split(/^NOTES:\n/m);
    return { objects: readObjects(objects), notes };
  }

  /** What it says of values that it refuses. */
  refusal(values: object): string {
    const { status, stderr } = this.#run(values, 'kubetally');
    assert.equal(status, 1);
    return stderr;
  }

  #run(values: object, name: string): { status: number | null; stdout: string; stderr: string } {
    const path = join(this.#directory, 'values.yaml');
    writeFileSync(path, stringify(values));
    return spawnSync(join(this.#directory, 'render'), [name, 'kube-system', chart, path], { encoding: 'utf8' });
  }
}
