/** Faults of kubelets in turn, by number of the node, in the form of `kubetally sim --faults`; calm between them. */
const kinds = ['hang', 'reset', 'truncate', 'garbage', 'refuse', 'wrong-certificate', 'drip', 'no-summary'] as const;

/** What misbehaves in a cycle: a tenth of the nodes, each time others and in another way, and nobody in every second one. */
export function faultsOf(cycle: number, nodes: number): Readonly<Record<string, unknown>> {
  if (cycle % 2 === 0) return {};
  const turn = (cycle - 1) / 2;
  const victims = Array.from({ length: Math.ceil(nodes / 10) }, (_, index) => (turn * 7 + index) % nodes);
  const kind = kinds[turn % (kinds.length + 1)];
  return kind === undefined ? { status: Object.fromEntries(victims.map((node) => [node, 500])) } : { [kind]: victims };
}
