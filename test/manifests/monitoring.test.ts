import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parse, stringify } from 'yaml';
import { systemClock } from '../../src/model/clock.ts';
import { seconds } from '../../src/model/units.ts';
import { Telemetry } from '../../src/telemetry/telemetry.ts';
import { manifests } from './manifest-objects.ts';

const folder = join(manifests, 'monitoring');
const dashboard = JSON.parse(readFileSync(join(folder, 'dashboard.json'), 'utf8')) as {
  panels: { title: string; id: number; targets?: { expr: string }[] }[];
};
const alerts = parse(readFileSync(join(folder, 'alerts.yaml'), 'utf8')) as {
  groups: { rules: { alert: string; expr: string }[] }[];
};
const panelQueries = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
const alertQueries = alerts.groups.flatMap(({ rules }) => rules.map(({ expr }) => expr));
const promtool = spawnSync('promtool', ['--version']).status === 0;

describe('the dashboard and the alerts', () => {
  it('ask for metrics that exist', async () => {
    const settings = {
      resolution: seconds(15),
      perNode: false,
      version: '1',
      clock: systemClock,
      processMetrics: true,
    };
    const { body } = await new Telemetry(settings).exposition();
    const known = new Set([...body.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name));
    for (const query of [...panelQueries, ...alertQueries]) {
      const words = query.match(/\b[a-z]+(_[a-z0-9]+)+\b(?=[{)\s[]|$)/g) ?? [];
      const names = words.filter((word) => word !== 'histogram_quantile');
      assert.ok(names.length > 0, query);
      for (const name of names) assert.ok(known.has(name) || known.has(name.replace(/_bucket$/, '')), name);
    }
  });

  it('has panels with ids of their own and a query each', () => {
    const ids = dashboard.panels.map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length);
    assert.ok(panelQueries.length >= 15);
  });

  it('are valid for Prometheus', { skip: promtool ? false : 'promtool is not installed' }, () => {
    for (const args of [
      ['check', 'rules', 'alerts.yaml'],
      ['test', 'rules', 'alerts-test.yaml'],
    ]) {
      const run = spawnSync('promtool', args, { cwd: folder, encoding: 'utf8' });
      assert.equal(run.status, 0, run.stdout + run.stderr);
    }
    const directory = mkdtempSync(join(tmpdir(), 'panels-'));
    try {
      const rules = panelQueries.map((expr, at) => ({
        record: `panel:${at}`,
        expr: expr.replaceAll('$__rate_interval', '5m').replaceAll('$job', '.*'),
      }));
      writeFileSync(join(directory, 'panels.yaml'), stringify({ groups: [{ name: 'panels', rules }] }));
      const run = spawnSync('promtool', ['check', 'rules', join(directory, 'panels.yaml')], { encoding: 'utf8' });
      assert.equal(run.status, 0, run.stdout + run.stderr);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
