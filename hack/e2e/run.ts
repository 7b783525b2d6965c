// Checks kubetally on a real control plane: `npm run e2e`, with KUBEBUILDER_ASSETS naming a folder with its programs. Exits with 3 when that is missing.
import { spawnSync } from 'node:child_process';
import { after, describe } from 'node:test';
import { checkAccess } from '../../test/e2e/access.e2e.ts';
import { checkAutoscaling } from '../../test/e2e/autoscaling.e2e.ts';
import { checkDiscovery } from '../../test/e2e/discovery.e2e.ts';
import { checkGet } from '../../test/e2e/get.e2e.ts';
import { checkManifests } from '../../test/e2e/manifests.e2e.ts';
import { checkApiServerOutage, checkKubeletOutage } from '../../test/e2e/outages.e2e.ts';
import { checkSelfManagedTls } from '../../test/e2e/self-managed-tls.e2e.ts';
import { checkTop } from '../../test/e2e/top.e2e.ts';
import { checkTruth } from '../../test/e2e/truth.e2e.ts';
import { findAssets } from './assets.ts';
import { Stage } from './stage.ts';

/** The whole run may take six minutes. */
const limit = 360_000;
const signals = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

const assets = findAssets(process.env['KUBEBUILDER_ASSETS']);
if (typeof assets === 'string') {
  console.error(`e2e: ${assets}`);
  process.exit(3);
}
if (spawnSync(process.execPath, ['hack/bundle.mjs'], { stdio: 'inherit' }).status !== 0) process.exit(1);

const begun = performance.now();
const report = (text: string): void =>
  console.log(`e2e: ${((performance.now() - begun) / 1000).toFixed(1)} s: ${text}`);
const stage = await Stage.create(assets, report);
const end = (code: number, reason: string): void => {
  console.error(`e2e: ${reason}, stopping`);
  void stage.stop().finally(() => process.exit(code));
};
for (const [signal, code] of Object.entries(signals)) process.once(signal, () => end(code, signal));
setTimeout(() => end(1, `not done after ${limit / 1000} s`), limit).unref();

try {
  await stage.start('dist/main.js');
} catch (error) {
  console.error(error, `\n${stage.lastWords}`);
  await stage.stop();
  process.exit(1);
}

describe('kubetally on a real control plane', () => {
  after(async () => {
    await stage.stop();
    report('everything stopped');
  });
  checkTruth(stage);
  checkTop(stage);
  checkGet(stage);
  checkDiscovery(stage);
  checkAccess(stage);
  checkManifests(stage);
  describe('over time', { concurrency: true }, () => {
    checkAutoscaling(stage);
    checkKubeletOutage(stage);
  });
  checkApiServerOutage(stage);
  checkSelfManagedTls(stage);
});
