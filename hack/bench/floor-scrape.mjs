// The floor of scraping: fetches every kubelet's summary at the same resolution over one kept connection each, parses it, and does nothing else.
//   node floor-scrape.mjs TARGETS    a file with {kubelets: [{origin}], token, ca, resolution}
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { Client } from 'undici';

const { kubelets, token, ca, resolution } = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'));
const secureContext = createSecureContext({ ca });
const request = {
  method: 'GET',
  path: '/stats/summary?only_cpu_and_memory=true',
  headers: { authorization: `Bearer ${token}` },
};

for (const [number, { origin }] of kubelets.entries()) {
  const client = new Client(origin, { pipelining: 1, keepAliveTimeout: 85_000, connect: { secureContext } });
  const fetch = () => client.dispatch(request, new Answer());
  setTimeout(
    () => {
      fetch();
      setInterval(fetch, resolution * 1000);
    },
    (number / kubelets.length) * resolution * 1000,
  );
}

class Answer {
  chunks = [];
  onRequestStart() {}
  onResponseStart(_controller, status) {
    if (status !== 200) fail(new Error(`status ${status}`));
  }
  onResponseData(_controller, chunk) {
    this.chunks.push(chunk);
  }
  onResponseEnd() {
    JSON.parse(Buffer.concat(this.chunks).toString());
  }
  onResponseError(_controller, error) {
    fail(error);
  }
}

/** A floor that fetched less would be none. */
function fail(error) {
  console.error(error);
  process.exit(1);
}
