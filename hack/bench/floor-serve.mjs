// The floor of serving: an HTTPS server that sends ready bytes.
//   node floor-serve.mjs PORT DIRECTORY ANSWERS    a directory with apiserver.crt and apiserver.key; a file with [{key, type, file}]
import { readFileSync } from 'node:fs';
import { createSecureServer } from 'node:http2';
import { join } from 'node:path';

const [port, directory = '', answers = ''] = process.argv.slice(2);
const ready = new Map(
  JSON.parse(readFileSync(answers, 'utf8')).map(({ key, type, encoding, file }) => [
    key,
    { type, encoding, bytes: readFileSync(file) },
  ]),
);
const server = createSecureServer(
  {
    cert: readFileSync(join(directory, 'apiserver.crt')),
    key: readFileSync(join(directory, 'apiserver.key')),
    allowHTTP1: true,
    // MiB that answers under way may take; with the default of 10 Node refuses several large ones at once.
    maxSessionMemory: 1000,
    requestCert: true,
    rejectUnauthorized: false,
  },
  ({ url, headers }, response) => {
    const answer = ready.get(`${url} ${headers.accept} ${headers['accept-encoding'] ?? ''}`);
    if (answer === undefined) {
      response.writeHead(404);
      response.end();
      return;
    }
    const { type, encoding, bytes } = answer;
    response.setHeader('content-type', type);
    if (encoding !== undefined) response.setHeader('content-encoding', encoding);
    response.setHeader('content-length', bytes.length);
    response.end(bytes);
  },
);
server.listen(Number(port), '127.0.0.1');
process.once('SIGTERM', () => process.exit(0));
