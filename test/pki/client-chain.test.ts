import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import { epochMs } from '../../src/model/units.ts';
import { verifyClientChain } from '../../src/pki/client-chain.ts';
import {
  clientAuth,
  criticalExtension,
  labCertificate,
  serverAuth,
  type LabCertificate,
} from '../support/certificate-lab.ts';

const now = epochMs(Date.now());
const day = 86_400_000;

function verify(leaf: LabCertificate, intermediates: readonly LabCertificate[], ...roots: readonly LabCertificate[]) {
  const parse = ({ cert }: LabCertificate): X509Certificate => new X509Certificate(cert);
  return verifyClientChain({ leaf: parse(leaf), intermediates: intermediates.map(parse) }, roots.map(parse), now);
}

describe('verifyClientChain', async () => {
  const root = await labCertificate({ subject: 'CN=root', ca: true });
  const client = await labCertificate({ subject: 'CN=client', issuer: root, usages: [clientAuth], validDays: [-1, 1] });

  it('accepts a leaf signed by a root, and says how long that holds', () => {
    const { notBefore, notAfter } = verify(client, [], root);
    assert.ok(Math.abs(notBefore - (now - day)) < 60_000);
    assert.ok(Math.abs(notAfter - (now + day)) < 60_000);
  });

  it('follows intermediates in any order', async () => {
    const upper = await labCertificate({ subject: 'CN=upper', issuer: root, ca: true });
    const lower = await labCertificate({ subject: 'CN=lower', issuer: upper, ca: true });
    const leaf = await labCertificate({ subject: 'CN=leaf', issuer: lower, usages: [clientAuth] });
    verify(leaf, [upper, lower], root);
    verify(leaf, [lower, upper], root);
    assert.throws(() => verify(leaf, [lower], root), /unknown authority/);
  });

  it('trusts an intermediate that is in the bundle itself', async () => {
    const intermediate = await labCertificate({ subject: 'CN=intermediate', issuer: root, ca: true });
    const leaf = await labCertificate({ subject: 'CN=leaf', issuer: intermediate, usages: [clientAuth] });
    verify(leaf, [], intermediate);
  });

  it('accepts a leaf without extended key usages, and one for any usage', async () => {
    verify(await labCertificate({ subject: 'CN=plain', issuer: root }), [], root);
    verify(await labCertificate({ subject: 'CN=any', issuer: root, usages: ['2.5.29.37.0'] }), [], root);
  });

  it('chooses the root that fits among several of one name', async () => {
    const namesake = await labCertificate({ subject: 'CN=root', ca: true });
    verify(client, [], namesake, root);
  });

  const refused: readonly (readonly [string, RegExp, () => Promise<LabCertificate>])[] = [
    ['of another authority', /unknown authority/, async () => await labCertificate({ subject: 'CN=self' })],
    [
      'of an authority with the same name but another key',
      /unknown authority/,
      async () => {
        const namesake = await labCertificate({ subject: 'CN=root', ca: true });
        return await labCertificate({ subject: 'CN=client', issuer: namesake, usages: [clientAuth] });
      },
    ],
    [
      'that has expired',
      /expired or is not yet valid/,
      async () => await labCertificate({ subject: 'CN=old', issuer: root, validDays: [-3, -1] }),
    ],
    [
      'that is not valid yet',
      /expired or is not yet valid/,
      async () => await labCertificate({ subject: 'CN=new', issuer: root, validDays: [1, 3] }),
    ],
    [
      'for servers only',
      /incompatible key usage/,
      async () => await labCertificate({ subject: 'CN=server', issuer: root, usages: [serverAuth] }),
    ],
    [
      'with a critical extension nobody knows',
      /unhandled critical extension 1\.2\.3\.4/,
      async () =>
        await labCertificate({
          subject: 'CN=odd',
          issuer: root,
          extensions: [criticalExtension('1.2.3.4')],
        }),
    ],
  ];
  for (const [what, message, make] of refused) {
    it(`refuses a leaf ${what}`, async () => {
      const leaf = await make();
      assert.throws(() => verify(leaf, [], root), message);
    });
  }

  it('refuses an issuer that may not sign certificates', async () => {
    const child = await labCertificate({ subject: 'CN=child', issuer: client, usages: [clientAuth] });
    assert.throws(() => verify(child, [client], root), /parent certificate cannot sign/);
    const plain = await labCertificate({ subject: 'CN=plain', issuer: root });
    const grandchild = await labCertificate({ subject: 'CN=child', issuer: plain, usages: [clientAuth] });
    assert.throws(() => verify(grandchild, [plain], root), /parent certificate cannot sign/);
  });

  it('refuses an expired intermediate and one for servers only', async () => {
    const old = await labCertificate({ subject: 'CN=old', issuer: root, ca: true, validDays: [-9, -1] });
    const server = await labCertificate({ subject: 'CN=srv', issuer: root, ca: true, usages: [serverAuth] });
    const ofOld = await labCertificate({ subject: 'CN=a', issuer: old, usages: [clientAuth] });
    const ofServer = await labCertificate({ subject: 'CN=b', issuer: server, usages: [clientAuth] });
    assert.throws(() => verify(ofOld, [old], root), /expired/);
    assert.throws(() => verify(ofServer, [server], root), /incompatible key usage/);
  });

  it('keeps the path length of a root', async () => {
    const short = await labCertificate({ subject: 'CN=short', ca: true, pathLength: 0 });
    const middle = await labCertificate({ subject: 'CN=middle', issuer: short, ca: true });
    verify(await labCertificate({ subject: 'CN=direct', issuer: short, usages: [clientAuth] }), [], short);
    const leaf = await labCertificate({ subject: 'CN=leaf', issuer: middle, usages: [clientAuth] });
    assert.throws(() => verify(leaf, [middle], short), /path length/);
  });

  it('gives up on certificates that sign each other', async () => {
    const first = await labCertificate({ subject: 'CN=a', ca: true });
    const circle = [first];
    for (let count = 0; count < 6; count++)
      circle.push(await labCertificate({ subject: 'CN=a', issuer: first, ca: true }));
    const leaf = await labCertificate({ subject: 'CN=leaf', issuer: first, usages: [clientAuth] });
    assert.throws(() => verify(leaf, circle, root), /unknown authority/);
  });
});
