import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import { metricsDocument, renderMetricsDocument } from '../../hack/gen-metrics-doc.ts';

it('the metrics reference is the one that hack/gen-metrics-doc.ts makes', () =>
  assert.equal(readFileSync(metricsDocument, 'utf8'), renderMetricsDocument()));
