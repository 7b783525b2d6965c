import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { describe, it } from 'node:test';

function run(folder?: string): { readonly status: number | null; readonly stderr: string } {
  const env = { ...process.env };
  delete env['KUBEBUILDER_ASSETS'];
  // A test runner's child would speak its protocol instead of printing.
  delete env['NODE_TEST_CONTEXT'];
  if (folder !== undefined) env['KUBEBUILDER_ASSETS'] = folder;
  return spawnSync(process.execPath, ['--import', 'tsx', 'hack/e2e/run.ts'], { env, encoding: 'utf8' });
}

describe('the end-to-end run', () => {
  it('says what it needs and exits with 3 when KUBEBUILDER_ASSETS is not set', () => {
    const { status, stderr } = run();
    assert.equal(status, 3);
    assert.match(stderr, /^e2e: KUBEBUILDER_ASSETS is not set: it names a folder with etcd, kube-apiserver, kubectl/m);
  });

  it('says what is missing in the folder and exits with 3', () => {
    const { status, stderr } = run(tmpdir());
    assert.equal(status, 3);
    assert.match(stderr, /^e2e: KUBEBUILDER_ASSETS=\S+ lacks etcd, kube-apiserver or kubectl$/m);
  });
});
