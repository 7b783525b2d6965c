import { parseDuration } from './duration.ts';
import type { Flag, FlagEffect, FlagKind } from './flag.ts';
import { boolean, choice, duration, float, integer, ip, string, strings } from './flag-values.ts';

/*
 * Flags that metrics-server has and that change nothing here. They are read with their types, so that a manifest written for
 * metrics-server starts this program as it is, unless somebody relies on what the flag does: those are refused.
 */

const generic = 'Generic flags';
const audit = 'Audit flags';
const features = 'Features flags';
const logging = 'Logging flags';

const noMutation = 'the API is read-only';
const noWatch = 'the API has no watch';
const noEmulation = 'there are no versions of components to emulate';
const noAudit = 'there is no audit log';
const noProfiling = 'there is no profiling endpoint';
const noBuffer = 'every line is written to stderr at once';

function inert<T>(section: string, name: string, kind: FlagKind<T>, initial: T, effect: string | FlagEffect): Flag<T> {
  return {
    name,
    section,
    kind,
    default: initial,
    help: '',
    effect: typeof effect === 'string' ? { kind: 'none', reason: effect } : effect,
  };
}

function refused(reason: string): FlagEffect {
  return { kind: 'refused', reason };
}

const anyInteger = integer(Number.MIN_SAFE_INTEGER);

/** Its bounds are still checked, as metrics-server does. */
export const goawayChance = inert(
  generic,
  'goaway-chance',
  float,
  0,
  'connections are renewed by age (--connection-max-age), not by chance',
);

export const genericFlags: readonly Flag<unknown>[] = [
  inert(generic, 'advertise-address', ip, '', 'clients find the server through its Service'),
  inert(generic, 'cors-allowed-origins', strings, [], 'browsers do not call an aggregated API directly'),
  inert(generic, 'emulated-version', strings, [], noEmulation),
  inert(generic, 'emulation-forward-compatible', boolean, false, noEmulation),
  inert(generic, 'external-hostname', string, '', 'no answer holds a URL of the server'),
  inert(generic, 'feature-gates', strings, [], 'there are no feature gates'),
  goawayChance,
  inert(generic, 'livez-grace-period', duration, parseDuration('0'), 'the server is live from its start'),
  inert(generic, 'max-mutating-requests-inflight', anyInteger, 200, noMutation),
  inert(generic, 'min-compatibility-version', strings, [], noEmulation),
  inert(generic, 'min-request-timeout', anyInteger, 1800, noWatch),
  inert(generic, 'runtime-config-emulation-forward-compatible', boolean, false, noEmulation),
  inert(generic, 'shutdown-send-retry-after', boolean, false, 'requests are answered until their connection closes'),
  inert(generic, 'shutdown-watch-termination-grace-period', duration, parseDuration('0'), noWatch),
  inert(generic, 'storage-initialization-timeout', duration, parseDuration('1m'), 'there is no storage to wait for'),
  inert(generic, 'strict-transport-security-directives', strings, [], 'HTTPS is the only protocol served'),
];

const auditRefused = refused('requests are not audited here; the audit log of kube-apiserver has them');

export const auditFlags: readonly Flag<unknown>[] = [
  inert(audit, 'audit-policy-file', string, '', auditRefused),
  inert(audit, 'audit-log-path', string, '', auditRefused),
  inert(audit, 'audit-webhook-config-file', string, '', auditRefused),
  inert(audit, 'audit-log-compress', boolean, false, noAudit),
  inert(audit, 'audit-log-format', choice(['json', 'legacy']), 'json', noAudit),
  inert(audit, 'audit-log-maxage', anyInteger, 366, noAudit),
  inert(audit, 'audit-log-maxbackup', anyInteger, 100, noAudit),
  inert(audit, 'audit-log-maxsize', anyInteger, 100, noAudit),
  inert(audit, 'audit-webhook-initial-backoff', duration, parseDuration('10s'), noAudit),
  ...auditBackendFlags('log', { mode: 'blocking', maxSize: 1, maxWait: '0', throttle: false, burst: 0, qps: 0 }),
  ...auditBackendFlags('webhook', { mode: 'batch', maxSize: 400, maxWait: '30s', throttle: true, burst: 15, qps: 10 }),
];

export const featureFlags: readonly Flag<unknown>[] = [
  inert(features, 'contention-profiling', boolean, false, noProfiling),
  inert(features, 'debug-socket-path', string, '', refused('no unprotected socket is offered')),
  inert(
    features,
    'enable-priority-and-fairness',
    boolean,
    true,
    'requests are limited by --max-requests-inflight alone, as they are in metrics-server',
  ),
  inert(features, 'profiling', boolean, true, noProfiling),
];

export const loggingFlagsWithoutEffect: readonly Flag<unknown>[] = [
  inert(logging, 'log-flush-frequency', duration, parseDuration('5s'), noBuffer),
  inert(logging, 'log-json-info-buffer-size', string, '', noBuffer),
  inert(logging, 'log-json-split-stream', boolean, false, noBuffer),
  inert(logging, 'log-text-info-buffer-size', string, '', noBuffer),
  inert(logging, 'log-text-split-stream', boolean, false, noBuffer),
  inert(logging, 'vmodule', strings, [], 'verbosity is set for the whole program with -v'),
];

interface AuditBackendDefaults {
  readonly mode: 'batch' | 'blocking' | 'blocking-strict';
  readonly maxSize: number;
  readonly maxWait: string;
  readonly throttle: boolean;
  readonly burst: number;
  readonly qps: number;
}

function auditBackendFlags(backend: 'log' | 'webhook', defaults: AuditBackendDefaults): readonly Flag<unknown>[] {
  const name = (rest: string): string => `audit-${backend}-${rest}`;
  return [
    inert(audit, name('batch-buffer-size'), anyInteger, 10000, noAudit),
    inert(audit, name('batch-max-size'), anyInteger, defaults.maxSize, noAudit),
    inert(audit, name('batch-max-wait'), duration, parseDuration(defaults.maxWait), noAudit),
    inert(audit, name('batch-throttle-burst'), anyInteger, defaults.burst, noAudit),
    inert(audit, name('batch-throttle-enable'), boolean, defaults.throttle, noAudit),
    inert(audit, name('batch-throttle-qps'), float, defaults.qps, noAudit),
    inert(audit, name('mode'), choice(['batch', 'blocking', 'blocking-strict']), defaults.mode, noAudit),
    inert(audit, name('truncate-enabled'), boolean, false, noAudit),
    inert(audit, name('truncate-max-batch-size'), anyInteger, 10485760, noAudit),
    inert(audit, name('truncate-max-event-size'), anyInteger, 102400, noAudit),
    inert(audit, name('version'), string, 'audit.k8s.io/v1', noAudit),
  ];
}
