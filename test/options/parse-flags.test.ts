import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { OptionError } from '../../src/options/errors.ts';
import type { Flag } from '../../src/options/flag.ts';
import { boolean, choice, duration, integer, ip, size, string, strings } from '../../src/options/flag-values.ts';
import { parseFlags } from '../../src/options/parse-flags.ts';
import { parseDuration } from '../../src/options/duration.ts';
import { bytes } from '../../src/model/units.ts';

const section = 'Test flags';
const resolution = {
  name: 'metric-resolution',
  section,
  kind: duration,
  default: parseDuration('1m'),
  help: '',
} satisfies Flag<unknown>;
const selector = { name: 'node-selector', short: 'l', section, kind: string, default: '', help: '' };
const verbosity = { name: 'v', short: 'v', section, kind: integer(-10, 10), default: 0, help: '' };
const insecure = { name: 'kubelet-insecure-tls', short: 'k', section, kind: boolean, default: false, help: '' };
const quiet = { name: 'quiet', short: 'q', section, kind: boolean, default: true, help: '' };
const types = { name: 'types', section, kind: strings, default: ['a', 'b'], help: '' };
const address = { name: 'bind-address', section, kind: ip, default: '0.0.0.0', help: '' };
const body = { name: 'body', section, kind: size, default: bytes(0), help: '' };
const source = { name: 'source', section, kind: choice(['auto', 'summary']), default: 'auto' } as const;
const old: Flag<number> = {
  name: 'old',
  section,
  kind: integer(0),
  default: 0,
  help: '',
  effect: { kind: 'none', reason: 'it is old' },
};
const gone: Flag<string> = {
  name: 'gone',
  section,
  kind: string,
  default: '',
  help: '',
  effect: { kind: 'refused', reason: 'use --types' },
};
const table: Flag<unknown>[] = [
  resolution,
  selector,
  verbosity,
  insecure,
  quiet,
  types,
  address,
  body,
  { ...source, help: '' },
  old,
  gone,
];
const parse = (...args: string[]) => parseFlags(table, args);

describe('the flag parser', () => {
  it('gives defaults for what is not given', () => {
    const flags = parse();
    assert.equal(flags.value(resolution), 60e9);
    assert.equal(flags.given(resolution), false);
    assert.deepEqual(flags.value(types), ['a', 'b']);
  });

  for (const args of [['--metric-resolution=15s'], ['--metric-resolution', '15s'], ['--metric_resolution=15s']])
    it(`reads ${args.join(' ')}`, () => {
      assert.equal(parse(...args).value(resolution), 15e9);
      assert.equal(parse(...args).given(resolution), true);
    });

  for (const args of [
    ['-v=4'],
    ['-v', '4'],
    ['-v4'],
    ['--v=4'],
    ['--v', '4'],
    ['-kv4'],
    ['-kv=4'],
    ['-kv', '4'],
    ['-v0x4'],
  ])
    it(`reads ${args.join(' ')}`, () => assert.equal(parse(...args).value(verbosity), 4));

  it('takes a negative number as a value', () => assert.equal(parse('--v', '-3').value(verbosity), -3));

  for (const [args, expected] of [
    [['--kubelet-insecure-tls'], true],
    [['--kubelet-insecure-tls=true'], true],
    [['--kubelet-insecure-tls=f'], false],
    [['-k'], true],
    [['-k=false'], false],
    [['-qk'], true],
  ] as const)
    it(`reads ${args.join(' ')}`, () => assert.equal(parse(...args).value(insecure), expected));

  it('does not take the next argument as the value of a switch', () => {
    const flags = parse('--kubelet-insecure-tls', 'false');
    assert.equal(flags.value(insecure), true);
    assert.deepEqual(flags.arguments, ['false']);
  });

  it('keeps the last of two values', () => assert.equal(parse('-l', 'a=b', '--node-selector=c').value(selector), 'c'));

  it('takes an empty value', () => assert.equal(parse('--node-selector=').value(selector), ''));

  it('keeps equals signs of a value', () => assert.equal(parse('--node-selector=a==b').value(selector), 'a==b'));

  for (const [args, expected] of [
    [['--types=x'], ['x']],
    [
      ['--types=x,y', '--types', 'z'],
      ['x', 'y', 'z'],
    ],
    [['--types='], []],
    [['--types=x,'], ['x', '']],
    [['--types="x,y",z""'], undefined],
    [['--types="x,y","z""w"'], ['x,y', 'z"w']],
  ] as const)
    it(`${expected === undefined ? 'refuses' : 'reads'} the list ${args.join(' ')}`, () => {
      if (expected === undefined) assert.throws(() => parse(...args), OptionError);
      else assert.deepEqual(parse(...args).value(types), expected);
    });

  for (const [text, expected] of [
    ['1000000', 1e6],
    ['32Mi', 32 * 2 ** 20],
    ['32MiB', 32 * 2 ** 20],
    ['5k', 5000],
    ['1GB', 1e9],
  ] as const)
    it(`reads the size ${text}`, () => assert.equal(parse(`--body=${text}`).value(body), expected));

  it('ends flags at --', () => {
    const flags = parse('one', '-k', '--', '--unknown', '-x');
    assert.deepEqual(flags.arguments, ['one', '--unknown', '-x']);
    assert.equal(flags.value(insecure), true);
  });

  it('takes a single dash as an argument', () => assert.deepEqual(parse('-').arguments, ['-']));

  for (const [args, code, message] of [
    [['--foo'], 'unknown-flag', 'unknown flag: --foo'],
    [['--foo=1'], 'unknown-flag', 'unknown flag: --foo'],
    [['--constructor'], 'unknown-flag', 'unknown flag: --constructor'],
    [['-kx'], 'unknown-flag', "unknown shorthand flag: 'x' in -kx"],
    [['--=1'], 'unknown-flag', 'bad flag syntax: --=1'],
    [['---v'], 'unknown-flag', 'bad flag syntax: ---v'],
    [['--metric-resolution'], 'missing-argument', 'flag needs an argument: --metric-resolution'],
    [['-kl'], 'missing-argument', "flag needs an argument: 'l' in -kl"],
    [
      ['--metric-resolution=x'],
      'invalid-argument',
      'invalid argument "x" for "--metric-resolution" flag: time: invalid duration "x"',
    ],
    [
      ['-v=x'],
      'invalid-argument',
      'invalid argument "x" for "-v, --v" flag: strconv.ParseInt: parsing "x": invalid syntax',
    ],
    [['-v11'], 'invalid-argument', 'invalid argument "11" for "-v, --v" flag: must be between -10 and 10'],
    [
      ['-v', '99999999999999999999'],
      'invalid-argument',
      'invalid argument "99999999999999999999" for "-v, --v" flag: strconv.ParseInt: parsing "99999999999999999999": value out of range',
    ],
    [
      ['-k=yes'],
      'invalid-argument',
      'invalid argument "yes" for "-k, --kubelet-insecure-tls" flag: strconv.ParseBool: parsing "yes": invalid syntax',
    ],
    [
      ['--bind-address=::g'],
      'invalid-argument',
      'invalid argument "::g" for "--bind-address" flag: failed to parse IP: "::g"',
    ],
    [['--source=all'], 'invalid-argument', 'invalid argument "all" for "--source" flag: must be one of auto, summary'],
    [
      ['--body=1.5Gi'],
      'invalid-argument',
      'invalid argument "1.5Gi" for "--body" flag: must be a size in bytes such as 1000000, 512Ki or 32Mi',
    ],
    [['--gone=1'], 'refused-flag', '--gone is not supported: use --types'],
  ] as const)
    it(`says of ${args.join(' ')}: ${message}`, () =>
      assert.throws(
        () => parse(...args),
        (error) => {
          assert.ok(error instanceof OptionError);
          assert.deepEqual([error.code, error.message], [code, message]);
          return true;
        },
      ));

  it('warns once of a flag without effect', () => {
    assert.deepEqual(parse('--old=1', '--old=2').warnings, ['--old has no effect because it is old']);
    assert.deepEqual(parse().warnings, []);
  });

  it('reports everything that it cannot read, in the order given and each once', () =>
    assert.throws(
      () => parse('--gone=1', '--foo', 'word', '-v=x', '-xyz', '--gone=2', '-k', '--metric-resolution=1', '-l'),
      (error) => {
        assert.ok(error instanceof OptionError);
        assert.deepEqual(
          [error.code, ...error.message.split('\n')],
          [
            'invalid-options',
            '--gone is not supported: use --types',
            'unknown flag: --foo',
            'invalid argument "x" for "-v, --v" flag: strconv.ParseInt: parsing "x": invalid syntax',
            "unknown shorthand flag: 'x' in -xyz",
            'invalid argument "1" for "--metric-resolution" flag: time: missing unit in duration "1"',
            "flag needs an argument: 'l' in -l",
          ],
        );
        return true;
      },
    ));

  it('fails only with an OptionError of a line for each argument at most', () => {
    const piece = fc.oneof(
      fc.constantFrom(...table.map(({ name }) => `--${name}`), '-v', '-k', '-l', '--', '-', '=', '"', 'x', '4'),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(fc.array(piece, { maxLength: 3 }).map((pieces) => pieces.join(''))), (args) => {
        try {
          parse(...args);
        } catch (error) {
          assert.ok(error instanceof OptionError);
          assert.ok(
            args.some((text) => text.includes('\n')) || error.message.split('\n').length <= args.length,
            error.message,
          );
        }
      }),
    );
  });
});
