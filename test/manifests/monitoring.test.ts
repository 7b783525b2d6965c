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

interface AlertTest {
  readonly input_series: readonly { series: string }[];
  readonly alert_rule_test: readonly { alertname: string; exp_alerts: readonly object[] }[];
}
const { tests } = parse(readFileSync(join(folder, 'alerts-test.yaml'), 'utf8')) as { tests: AlertTest[] };

/** The metrics that a query asks for. */
function metricsIn(query: string): string[] {
  const words = query.match(/\b[a-z]+(_[a-z0-9]+)+\b(?=[{)\s[]|$)/g) ?? [];
  return words.filter((word) => word !== 'histogram_quantile');
}

function reasonToSkip(): string | false {
  // In CI a missing promtool must not look like success.
  if (process.env['CI'] !== undefined || spawnSync('promtool', ['--version']).status === 0) return false;
  return 'promtool is not installed';
}

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
      const names = metricsIn(query);
      assert.ok(names.length > 0, query);
      for (const name of names) assert.ok(known.has(name) || known.has(name.replace(/_bucket$/, '')), name);
    }
  });

  it('has panels with ids of their own and a query each', () => {
    const ids = dashboard.panels.map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length);
    assert.ok(panelQueries.length >= 15);
  });

  for (const { alert, expr } of alerts.groups.flatMap(({ rules }) => rules)) {
    const expected = (test: AlertTest): (readonly object[])[] =>
      test.alert_rule_test.flatMap(({ alertname, exp_alerts }) => (alertname === alert ? [exp_alerts] : []));

    it(`have a test in which ${alert} is raised`, () =>
      assert.ok(tests.some((test) => expected(test).some(({ length }) => length > 0))));

    it(`have a test in which ${alert} is calm although there is all that it asks for`, () => {
      const given = ({ input_series }: AlertTest): string[] =>
        input_series.map(({ series }) => series.split('{')[0] ?? '');
      const calm = tests.filter((test) => expected(test).some(({ length }) => length === 0));
      assert.ok(calm.some((test) => metricsIn(expr).every((name) => given(test).includes(name))));
    });
  }

  it('are valid for Prometheus, and alerts are raised as their tests say', { skip: reasonToSkip() }, () => {
    for (const args of [
      ['check', 'rules', 'alerts.yaml'],
      ['test', 'rules', 'alerts-test.yaml'],
    ]) {
      const run = spawnSync('promtool', args, { cwd: folder, encoding: 'utf8' });
      assert.equal(run.status, 0, run.error?.message ?? run.stdout + run.stderr);
    }
    const directory = mkdtempSync(join(tmpdir(), 'panels-'));
    try {
      const rules = panelQueries.map((expr, at) => ({
        record: `panel:${at}`,
        expr: expr.replaceAll('$__rate_interval', '5m').replaceAll('$job', '.*'),
      }));
      writeFileSync(join(directory, 'panels.yaml'), stringify({ groups: [{ name: 'panels', rules }] }));
      const run = spawnSync('promtool', ['check', 'rules', join(directory, 'panels.yaml')], { encoding: 'utf8' });
      assert.equal(run.status, 0, run.error?.message ?? run.stdout + run.stderr);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
