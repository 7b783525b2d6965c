import { isIPv6 } from 'node:net';
import type { NodeAddress } from '../model/inventory.ts';
import { quote } from '../model/quote.ts';
import { InventoryError } from './inventory-error.ts';

/**
 * A node's addresses of the types in `--kubelet-preferred-address-types`, in the order of the types and, within one type, of the
 * node's status; each once. The first is the one metrics-server would use, the others are for when connecting to it fails.
 * Those that are no address or name to connect to are left out; so are IPv6 addresses with a zone, which means something on the node only.
 * Throws `InventoryError` `no_address`.
 */
export function candidateAddresses(
  addresses: readonly NodeAddress[],
  types: readonly string[],
): readonly [string, ...string[]] {
  const candidates = new Set<string>();
  for (const wanted of types)
    for (const { type, address } of addresses) if (type === wanted && address !== '') candidates.add(address);
  const [first, ...others] = [...candidates].filter(isUsable);
  if (first !== undefined) return [first, ...others];
  const wanted = `types [${types.join(' ')}]`;
  if (candidates.size === 0) throw new InventoryError('no_address', `no address matched ${wanted}`);
  const unusable = [...candidates].map((address) => quote(address)).join(', ');
  throw new InventoryError('no_address', `no address of ${wanted} can be connected to: ${unusable}`);
}

function isUsable(address: string): boolean {
  return /^[\w.:-]+$/.test(address) && URL.canParse(`http://${hostAndPort(address, 1)}`);
}

/** `address:port` as it stands in a URL: IPv6 in brackets. */
export function hostAndPort(address: string, port: number): string {
  return isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`;
}
