import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { candidateAddresses, hostAndPort } from '../../src/inventory/addresses.ts';
import { InventoryError } from '../../src/inventory/inventory-error.ts';

const addresses = [
  { type: 'Hostname', address: 'n1' },
  { type: 'InternalIP', address: '10.0.0.1' },
  { type: 'InternalIP', address: 'fd00::1' },
  { type: 'ExternalIP', address: '' },
  { type: 'InternalDNS', address: 'n1' },
];

describe('kubelet addresses', () => {
  it('come in the order of the preferred types, then of the node', () => {
    assert.deepEqual(candidateAddresses(addresses, ['InternalIP', 'Hostname']), ['10.0.0.1', 'fd00::1', 'n1']);
  });

  it('come once each', () => {
    assert.deepEqual(candidateAddresses(addresses, ['InternalDNS', 'Hostname', 'InternalDNS']), ['n1']);
  });

  it('are missing with the text of metrics-server', () => {
    assert.throws(
      () => candidateAddresses(addresses, ['ExternalDNS', 'ExternalIP']),
      (error) =>
        error instanceof InventoryError &&
        error.code === 'no_address' &&
        error.message === 'no address matched types [ExternalDNS ExternalIP]',
    );
    assert.throws(() => candidateAddresses([], []), /no address matched types \[\]/);
  });

  it('that cannot stand in a URL are passed over', () => {
    const unusable = ['bad host', '1.2.3.4.5', '10.0.0.1:10250', 'n1/path', 'user@n1', 'n1?', 'fe80::1%eth0'];
    const asAddresses = (texts: string[]) => texts.map((address) => ({ type: 'InternalIP', address }));
    assert.deepEqual(candidateAddresses(asAddresses([...unusable, '10.0.0.1', 'n_1.example.']), ['InternalIP']), [
      '10.0.0.1',
      'n_1.example.',
    ]);
    assert.throws(() => candidateAddresses(asAddresses(['bad host', 'fe80::1%eth0']), ['InternalIP']), {
      code: 'no_address',
      message: 'no address of types [InternalIP] can be connected to: "bad host", "fe80::1%eth0"',
    });
  });

  it('stand in URLs with brackets around IPv6', () => {
    assert.equal(hostAndPort('10.0.0.1', 10250), '10.0.0.1:10250');
    assert.equal(hostAndPort('n1.example', 10250), 'n1.example:10250');
    assert.equal(hostAndPort('fd00::1', 10250), '[fd00::1]:10250');
  });
});
