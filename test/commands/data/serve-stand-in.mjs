// Stands in for `kubetally serve` in tests of the demo: serves one node's and one pod's metrics over TLS until it is ended.
// With the environment variable STAND_IN=fails it ends at once, as a server with a bad flag does.
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { dirname, join } from 'node:path';

const value = (name) => process.argv.find((argument) => argument.startsWith(`--${name}=`))?.slice(name.length + 3) ?? '';
if (process.env.STAND_IN === 'fails') {
  process.stderr.write('Error: unknown flag: --nonsense\n');
  process.exit(1);
}
const files = dirname(value('kubeconfig'));
if (process.env.STAND_IN_PID !== undefined) writeFileSync(process.env.STAND_IN_PID, String(process.pid));
const item = (name, namespace) => ({ metadata: { name, ...(namespace ? { namespace } : {}) } });
const items = { nodes: [item('node-00000')], pods: [item('app-0-00000', 'team-0')] };
const table = (plural) => ({
  kind: 'Table',
  columnDefinitions: ['Name', 'cpu', 'memory'].map((name) => ({ name, priority: 0 })),
  rows: items[plural].map((object) => ({ cells: [object.metadata.name, '5m', '20Mi'], object })),
});
const tls = { cert: readFileSync(join(files, 'apiserver.crt')), key: readFileSync(join(files, 'apiserver.key')) };
createServer(tls, (request, response) => {
  const plural = request.url.split('/').at(-1);
  response.setHeader('content-type', 'application/json');
  if (items[plural] === undefined) response.end('{"resources":[]}');
  else if (request.headers.accept.includes('as=Table')) response.end(JSON.stringify(table(plural)));
  else response.end(JSON.stringify({ items: items[plural] }));
}).listen(Number(value('secure-port')), value('bind-address'));
process.on('SIGTERM', () => process.exit(0));
