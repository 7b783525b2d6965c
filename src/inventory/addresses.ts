import { isIPv6 } from 'node:net';
import type { NodeAddress } from '../model/inventory.ts';
import { InventoryError } from './inventory-error.ts';

/**
 * A node's addresses of the types in `--kubelet-preferred-address-types`, in the order of the types and, within one type, of the
 * node's status; each once. The first is the one metrics-server would use, the others are for when connecting to it fails.
 * Throws `InventoryError` `no_address`.
 */
export function candidateAddresses(
  addresses: readonly NodeAddress[],
  types: readonly string[],
): readonly [string, ...string[]] {
  const candidates = new Set<string>();
  for (const wanted of types)
    for (const { type, address } of addresses) if (type === wanted && address !== '') candidates.add(address);
  const [first, ...others] = candidates;
  if (first === undefined) throw new InventoryError('no_address', `no address matched types [${types.join(' ')}]`);
  return [first, ...others];
}

/** `address:port` as it stands in a URL: IPv6 in brackets, its zone percent-encoded (RFC 6874). */
export function hostAndPort(address: string, port: number): string {
  return isIPv6(address) ? `[${address.replace('%', '%25')}]:${port}` : `${address}:${port}`;
}
