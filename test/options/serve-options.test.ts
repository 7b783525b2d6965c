import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { createSecureContext } from 'node:tls';
import { goCipherSuites, openSslCiphers } from '../../src/options/cipher-suites.ts';
import { OptionError } from '../../src/options/errors.ts';
import { parseServeOptions, type ServeOptions } from '../../src/options/serve-options.ts';
import { serveFlags } from '../../src/options/serve-flags.ts';
import { defaultText, usageText, versionText } from '../../src/options/usage.ts';

function serve(...args: string[]): ServeOptions {
  const request = parseServeOptions(args);
  assert.ok(request.kind === 'serve');
  return request.options;
}

function problems(...args: string[]): string[] {
  try {
    parseServeOptions(args);
  } catch (error) {
    assert.ok(error instanceof OptionError);
    assert.equal(error.code, 'invalid-options');
    return error.message.split('\n');
  }
  return [];
}

const upstream = readFileSync(new URL('data/metrics-server-flags.tsv', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => line.split('\t'));

describe('the flags of serve', () => {
  it('have names and short names of their own', () => {
    const names = serveFlags.map(({ name }) => name);
    const shorts = serveFlags.flatMap(({ short }) => short ?? []);
    assert.equal(new Set(names).size, names.length);
    assert.equal(new Set(shorts).size, shorts.length);
  });

  it('include every flag of metrics-server', () => {
    assert.equal(upstream.length, 103);
    for (const [name = '', short = ''] of upstream) {
      const flag = serveFlags.find((candidate) => candidate.name === name);
      assert.ok(flag, name);
      assert.equal(flag.short ?? '', short, name);
    }
  });

  it("have metrics-server's defaults", () => {
    for (const [name = '', , text = ''] of upstream) {
      const flag = serveFlags.find((candidate) => candidate.name === name);
      assert.ok(flag);
      // The lowest TLS version is the same, but only our help names it.
      if (name !== 'tls-min-version') assert.equal(defaultText(flag), text === '[]' ? '' : text, name);
    }
  });

  it('all say what they do, or why they do nothing', () => {
    for (const flag of serveFlags) assert.ok(flag.help !== '' || flag.effect !== undefined, flag.name);
  });

  it('are all in the help text, under their sections', () => {
    const help = usageText('kubetally', 'Serve resource metrics.', serveFlags, [], 100);
    for (const { name, section } of serveFlags) {
      assert.match(help, new RegExp(`^  (-\\w, |    )--${name}( |$)`, 'm'));
      assert.ok(help.includes(`\n${section}:\n`));
    }
    assert.match(help, /^ {2}-v, --v Level {3,}Log verbosity/m);
    assert.match(help, /--metric-resolution duration +How often [^(]*\(default 1m0s\)$/m);
    for (const line of help.split('\n')) assert.ok(line.length <= 100 || !line.trim().includes(' '), line);
  });
});

describe('the options of serve', () => {
  it('are those of metrics-server when nothing is given', () => {
    const options = serve();
    assert.equal(options.metricResolution, 60_000);
    assert.equal(options.metricMaxAge, 180_000);
    assert.equal(options.kubeconfig, undefined);
    assert.equal(options.kubelet.requestTimeout, 10_000);
    assert.equal(options.kubelet.maxBodySize, 33_554_432);
    assert.equal(options.kubelet.maxIdleConnections, 1500);
    assert.equal(options.serving.securePort, 443);
    assert.equal(options.serving.minVersion, 'TLSv1.2');
    assert.equal(options.serving.http2, true);
    assert.equal(options.serving.http2MaxStreams, 100);
    assert.deepEqual(options.authorization.alwaysAllowPaths, ['/healthz', '/readyz', '/livez']);
    assert.deepEqual(options.logging, { format: 'text', verbosity: 0 });
    assert.deepEqual(options.warnings, []);
  });

  it("come from the arguments of metrics-server's own manifest", () => {
    const options = serve(
      '--cert-dir=/tmp',
      '--secure-port=10250',
      '--kubelet-preferred-address-types=InternalIP,ExternalIP,Hostname',
      '--kubelet-use-node-status-port',
      '--metric-resolution=15s',
    );
    assert.equal(options.serving.securePort, 10250);
    assert.deepEqual(options.kubelet.preferredAddressTypes, ['InternalIP', 'ExternalIP', 'Hostname']);
    assert.equal(options.kubelet.useNodeStatusPort, true);
    assert.equal(options.metricResolution, 15_000);
    assert.equal(options.metricMaxAge, 45_000);
    assert.deepEqual(options.warnings, []);
  });

  it('take the shortest resolution with a request timeout of nine tenths of it', () => {
    const options = serve('--metric-resolution=10s', '--kubelet-request-timeout=9s');
    assert.deepEqual([options.metricResolution, options.kubelet.requestTimeout], [10_000, 9000]);
  });

  it('take an explicit maximum age', () => assert.equal(serve('--metric-max-age=5m').metricMaxAge, 300_000));

  it('read 0 requests in flight as no limit', () =>
    assert.equal(serve('--max-requests-inflight=0').serving.maxRequestsInflight, Number.POSITIVE_INFINITY));

  it('name TLS versions as Node does', () =>
    assert.equal(serve('--tls-min-version=VersionTLS13').serving.minVersion, 'TLSv1.3'));

  it('warn of every flag that has no effect', () =>
    assert.deepEqual(serve('--profiling=false', '--goaway-chance=0.01').warnings, [
      '--profiling has no effect because there is no profiling endpoint',
      '--goaway-chance has no effect because connections are renewed by age (--connection-max-age), not by chance',
    ]));

  it('refuse what somebody would rely on', () =>
    assert.throws(
      () => serve('--audit-log-path=-'),
      /^OptionError: --audit-log-path is not supported: requests are not/,
    ));

  it('ask for help and version before anything is checked', () => {
    assert.deepEqual(parseServeOptions(['--help', '--metric-resolution=1s']), { kind: 'help' });
    assert.deepEqual(parseServeOptions(['-h']), { kind: 'help' });
    assert.deepEqual(parseServeOptions(['--version']), { kind: 'version' });
    assert.equal(versionText('1.2.3'), 'kubetally version v1.2.3');
  });

  it('refuse an argument that is no flag', () =>
    assert.throws(
      () => serve('run'),
      /^OptionError: unknown command "run" for "kubetally"\nRun 'kubetally --help' for usage\.$/,
    ));

  it('report all broken rules at once, in the words of metrics-server', () =>
    assert.deepEqual(
      problems(
        '--metric-resolution=5s',
        '--kubelet-certificate-authority=ca',
        '--kubelet-insecure-tls',
        '--kubelet-client-key=key',
        '--deprecated-kubelet-completely-insecure',
      ),
      [
        'metric-resolution should be a time duration at least 10s, but value 5s provided',
        'kubelet-request-timeout should be at most nine tenths of metric-resolution, but metric-resolution value 5s kubelet-request-timeout value 10s provided',
        'cannot use both --kubelet-certificate-authority and --kubelet-insecure-tls',
        'need both --kubelet-client-key and --kubelet-client-certificate',
        'cannot use both --kubelet-client-key and --deprecated-kubelet-completely-insecure',
        'cannot use both --kubelet-insecure-tls and --deprecated-kubelet-completely-insecure',
        'cannot use both --kubelet-certificate-authority and --deprecated-kubelet-completely-insecure',
      ],
    ));

  for (const [args, problem] of [
    [
      '--kubelet-client-certificate=c --kubelet-client-key=k --deprecated-kubelet-completely-insecure',
      'cannot use both --kubelet-client-key and --deprecated-kubelet-completely-insecure\ncannot use both --kubelet-client-certificate and --deprecated-kubelet-completely-insecure',
    ],
    ['--kubelet-request-timeout=0', 'kubelet-request-timeout should be positive'],
    [
      '--metric-resolution=11s',
      'kubelet-request-timeout should be at most nine tenths of metric-resolution, but metric-resolution value 11s kubelet-request-timeout value 10s provided',
    ],
    [
      '--metric-max-age=30s',
      'metric-max-age should be at least metric-resolution, but metric-max-age value 30s metric-resolution value 1m0s provided',
    ],
    ['--kubelet-max-body-size=0', 'kubelet-max-body-size should be positive'],
    ['--kubelet-preferred-address-types=', 'kubelet-preferred-address-types should not be empty'],
    ['--secure-port=-1', '--secure-port -1 must be between 0 and 65535, inclusive'],
    ['--secure-port=65536', '--secure-port 65536 must be between 0 and 65535, inclusive'],
    ['--tls-cert-file=c', 'need both --tls-cert-file and --tls-private-key-file'],
    [
      '--tls-cert-file=c --tls-private-key-file=k --serving-cert-secret=s',
      'cannot use both --tls-cert-file and --serving-cert-secret',
    ],
    ['--patch-ca-bundle', '--patch-ca-bundle needs --serving-cert-secret'],
    ['--tls-cipher-suites=TLS_X', "Cipher suite TLS_X not supported or doesn't exist"],
    [
      '--tls-cipher-suites=TLS_RSA_WITH_RC4_128_SHA',
      'Cipher suite TLS_RSA_WITH_RC4_128_SHA is too weak for the TLS library in use',
    ],
    ['--max-requests-inflight=-1', '--max-requests-inflight can not be negative value'],
    ['--goaway-chance=0.03', '--goaway-chance can not be less than 0 or greater than 0.02'],
    ['--request-timeout=0s', 'request-timeout should be positive'],
    ['--shutdown-delay-duration=-1s', '--shutdown-delay-duration can not be negative value'],
    ['--shutdown-grace-period=-1s', '--shutdown-grace-period can not be negative value'],
    ['--connection-max-age=-1s', '--connection-max-age can not be negative value'],
    [
      '--authentication-token-webhook-cache-ttl=-1s',
      '--authentication-token-webhook-cache-ttl can not be negative value',
    ],
    [
      '--authorization-webhook-cache-authorized-ttl=-1s',
      '--authorization-webhook-cache-authorized-ttl can not be negative value',
    ],
    [
      '--authorization-webhook-cache-unauthorized-ttl=-1s',
      '--authorization-webhook-cache-unauthorized-ttl can not be negative value',
    ],
    [
      '--node-selector=a=(',
      '--node-selector "a=(" is no label selector: unable to parse requirement: found \'(\', expected: identifier',
    ],
    ['--service-name=', '--service-name "" is no name: lower case letters, digits and "-" between them, at most 63'],
    [
      '--service-namespace=a.b',
      '--service-namespace "a.b" is no name: lower case letters, digits and "-" between them, at most 63',
    ],
    [
      '--serving-cert-secret=../x',
      '--serving-cert-secret "../x" is no name of a Secret: lower case letters, digits, "-" and ".", at most 253',
    ],
    ['-v=-1', '--v can not be negative value'],
  ] as const)
    it(`refuse ${args}`, () => assert.equal(problems(...args.split(' ')).join('\n'), problem));
});

describe('cipher suites', () => {
  it('are all known to the TLS library', () => {
    for (const suite of goCipherSuites.keys()) {
      const others = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'];
      const name = goCipherSuites.get(suite) ?? '';
      assert.doesNotThrow(
        () => createSecureContext({ ciphers: name, ...(others.includes(suite) ? {} : { maxVersion: 'TLSv1.2' }) }),
        suite,
      );
    }
  });

  it('keep those of TLS 1.3 and name each once', () =>
    assert.equal(
      openSslCiphers(['TLS_RSA_WITH_AES_128_CBC_SHA', 'TLS_AES_128_GCM_SHA256']),
      'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:AES128-SHA',
    ));
});
