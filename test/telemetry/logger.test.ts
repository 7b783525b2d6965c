import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { KubetallyError } from '../../src/model/errors.ts';
import type { LogFields } from '../../src/telemetry/log.ts';
import { LogOutput } from '../../src/telemetry/log-output.ts';
import { createLogger, type RootLogger } from '../../src/telemetry/logger.ts';
import { FakeClock } from '../support/fake-clock.ts';

class ProbeError extends KubetallyError<'probe'> {}

function logger(format: 'text' | 'json', verbosity = 0): { log: RootLogger; lines: string[] } {
  const lines: string[] = [];
  const clock = new FakeClock(Date.parse('2026-11-22T05:34:56.789Z') + 0.0125);
  return { log: createLogger({ format, verbosity, write: (line) => lines.push(line), clock, pid: 17 }), lines };
}

function json(run: (log: RootLogger) => void, verbosity = 0): unknown {
  const { log, lines } = logger('json', verbosity);
  run(log);
  return JSON.parse(lines.join(''));
}

function text(run: (log: RootLogger) => void, verbosity = 0): string {
  const { log, lines } = logger('text', verbosity);
  run(log);
  return lines.join('');
}

describe('text logs', () => {
  it('look like those of Kubernetes components', () =>
    assert.equal(
      text((log) => log.named('scrape').info('Scrape finished', { nodeCount: 3, node: 'n1', ready: true })),
      'I1122 05:34:56.789012      17 scrape] "Scrape finished" nodeCount=3 node="n1" ready=true\n',
    ));

  it('put the error first', () =>
    assert.equal(
      text((log) =>
        log.error(new ProbeError('probe', 'no route', { cause: new ProbeError('probe', 'host down') }), 'Failed', {
          node: 'n1',
        }),
      ),
      'E1122 05:34:56.789012      17 kubetally] "Failed" err="no route: host down" node="n1"\n',
    ));

  it('mark warnings', () =>
    assert.match(
      text((log) => log.warning('Odd')),
      /^W1122 .*\] "Odd"\n$/,
    ));

  it('stay on one line', () =>
    assert.ok(
      text((log) => log.info('a\nb', { pod: 'x\ny" z=1' })).endsWith(String.raw`] "a\nb" pod="x\ny\" z=1"` + '\n'),
    ));

  it('leave out fields without a value', () =>
    assert.ok(text((log) => log.info('m', { node: undefined })).endsWith('] "m"\n')));
});

describe('JSON logs', () => {
  it('have the keys of Kubernetes components', () =>
    assert.deepEqual(
      json((log) => log.verbose(2, 'Scrape finished', { nodeCount: 3 }), 2),
      { ts: 1795325696789.013, caller: 'kubetally', msg: 'Scrape finished', v: 2, nodeCount: 3 },
    ));

  it('have no v on errors', () =>
    assert.deepEqual(
      json((log) => log.error(new ProbeError('probe', 'no route'), 'Failed')),
      { ts: 1795325696789.013, caller: 'kubetally', msg: 'Failed', err: 'no route' },
    ));

  it('mark warnings', () => assert.equal((json((log) => log.warning('Odd')) as { level: string }).level, 'warning'));

  it('do not let a field replace a key', () => {
    const line = json((log) => log.info('m', { msg: 'other', ts: 1 })) as Record<string, unknown>;
    assert.deepEqual([line['msg'], line['msg_'], line['ts_']], ['m', 'other', 1]);
  });
});

describe('logs', () => {
  it('write what the verbosity asks for, and say so', () => {
    const { log, lines } = logger('text', 2);
    for (const level of [0, 1, 2, 3]) log.verbose(level, `level ${level}`);
    assert.equal(lines.length, 3);
    assert.deepEqual([log.enabled(2), log.enabled(3)], [true, false]);
  });

  it('do not look at fields that are not written', () => {
    const { log } = logger('text');
    log.verbose(1, 'm', {
      get node(): string {
        throw new Error('looked');
      },
    });
  });

  for (const name of ['token', 'bearerToken', 'Authorization', 'password', 'client-credentials', 'privateKey'])
    it(`never hold the value of ${name}`, () => {
      assert.ok(!text((log) => log.info('m', { [name]: 'hunter2' })).includes('hunter2'));
      assert.equal(
        (json((log) => log.info('m', { [name]: 'hunter2' })) as Record<string, unknown>)[name],
        '<redacted>',
      );
    });

  for (const secret of ['Bearer abcdefgh.1234', 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln', 'Basic dXNlcjpwYXNz'])
    it(`never hold ${secret.slice(0, 6)} texts`, () => {
      const line = text((log) => log.error(new Error(`sent ${secret}!`), secret, { header: `x ${secret}` }));
      assert.ok(!line.includes(secret));
      assert.ok(line.split('<redacted>').length >= 4);
    });

  it('cut long texts', () => {
    const line = text((log) => log.info('m', { body: 'x'.repeat(100_000) }));
    assert.ok(line.length < 5000);
    assert.match(line, /x\.\.\. \(95904 more\)"\n$/);
  });

  it('hold the stack of a programming error', () =>
    assert.match(
      text((log) => log.error(new TypeError('not a function'), 'm')),
      /err="not a function\\nTypeError: .*logger\.test/,
    ));

  it('survive values that cannot be printed', () => {
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;
    const fields = {
      circular,
      big: 2n ** 70n,
      infinite: Number.POSITIVE_INFINITY,
      none: null,
      call: () => 1,
      symbol: Symbol('s'),
      error: new Error('inner'),
    } as unknown as LogFields;
    const hostile = new Error('hidden');
    Object.defineProperty(hostile, 'message', {
      get() {
        throw new Error('looked');
      },
    });
    const line = json((log) => log.error(hostile, 'm', fields)) as Record<string, unknown>;
    assert.equal(line['err'], 'an error that cannot be printed');
    assert.equal(line['big'], '1180591620717411303424');
    assert.equal(line['infinite'], 'Infinity');
    assert.equal(line['none'], 'null');
    assert.equal(line['error'], 'inner');
    assert.equal(line['circular'], 'a object that cannot be printed');
    assert.match(
      text((log) => log.info('m', fields)),
      /big=1180591620717411303424 infinite=Infinity none="null"/,
    );
  });

  it('are one line of valid JSON or text whatever is in them', () => {
    const value = fc.oneof(fc.string({ unit: 'binary' }), fc.double(), fc.boolean(), fc.bigInt());
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.dictionary(fc.string(), value), (message, fields) => {
        const line = json((log) => log.info(message, fields)) as Record<string, unknown>;
        assert.equal(Object.keys(line).length, Object.keys(fields).length + 4);
        assert.match(
          text((log) => log.info(message, fields)),
          /^I1122 [^\n]*\n$/,
        );
      }),
    );
  });
});

describe('the writer of log lines', () => {
  it('drops lines while nobody reads and says how many', () => {
    const written: string[] = [];
    let resume = (): void => {};
    const stream = new Writable({
      decodeStrings: false,
      write(chunk: string, _encoding, done) {
        written.push(chunk);
        resume = done;
      },
    });
    const output = new LogOutput(stream, 'text');
    const line = `${'x'.repeat(1023)}\n`;
    for (let count = 0; count < 2000; count++) output.write(line);
    assert.equal(stream.writableLength, 1025 * 1024);
    assert.equal(output.stuck, true);
    for (let count = 0; count < 1025; count++) resume();
    assert.equal(output.stuck, false);
    output.write('after\n');
    resume();
    assert.deepEqual(written.slice(-2), ['"Log lines were dropped because nobody read them" count=975\n', 'after\n']);
  });

  it('outlives a closed pipe', async () => {
    const stream = new Writable({
      write(_chunk, _encoding, done) {
        done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
      },
    });
    const output = new LogOutput(stream, 'json');
    output.write('one\n');
    await new Promise((resolve) => setImmediate(resolve));
    output.write('two\n');
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(stream.destroyed, true);
  });
});
